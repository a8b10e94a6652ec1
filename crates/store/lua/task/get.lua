-- Reads a task.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok', owner of the node that it is assigned to (''), task row · 'not_found'
-- include: now clock event queue node claim

local node = redis.call('HGET', key.task(ARGV[3]), 'assigned_node')
local reply = { 'ok', node and node ~= '' and redis.call('HGET', key.node(node), 'owner') or '' }
if not append_task(reply, ARGV[3]) then return { 'not_found' } end
return reply
