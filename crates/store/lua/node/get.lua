-- Reads one node.
--
-- KEYS[1]  the cluster partition
-- ARGV     node_id: NodeId      Which.
-- Returns  ok(Sighting)
--          not_found
-- include: node

local beat = tonumber(redis.call('HGET', key.node(node_id), 'beat') or nil)
local reply = { 'ok', now, beat and clock - beat or 0 }
if not append_node(reply, node_id) then return { 'not_found' } end
return reply
