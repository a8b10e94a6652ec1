-- Reads a task.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok', who owned the node that it is assigned to as it was claimed (''), task row
--          'not_found'
-- include: now clock event queue node claim

local row = redis.call('HMGET', key.task(ARGV[3]), 'assigned_node', 'runner')
local reply = { 'ok', row[1] and row[1] ~= '' and row[2] or '' }
if not append_task(reply, ARGV[3]) then return { 'not_found' } end
return reply
