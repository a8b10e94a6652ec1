-- Reads a task.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Found)
--          not_found
-- include: followed

local row = redis.call('HMGET', key.task(task_id), 'assigned_node', 'runner', 'seq', 'edits')
local reply = { 'ok', row[1] and row[1] ~= '' and row[2] or '', (row[3] or '') .. '/' .. (row[4] or 0) }
if not append_following(reply, task_id) then return { 'not_found' } end
return reply
