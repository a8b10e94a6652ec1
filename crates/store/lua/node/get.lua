-- Reads one node.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 node id
-- Returns  'ok', now, logical ms since the last heartbeat, node row · 'not_found'
-- include: now clock foreign rfc3339 event queue node

local id = ARGV[3]
local beat = tonumber(redis.call('HGET', key.node(id), 'beat') or nil)
local reply = { 'ok', now, beat and clock - beat or 0 }
if not append_node(reply, id) then return { 'not_found' } end
return reply
