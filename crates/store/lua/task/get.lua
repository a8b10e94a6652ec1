-- Reads a task.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Found)
--          not_found
-- include: claim

local runner = redis.call('HMGET', key.task(task_id), 'assigned_node', 'runner')
local reply = { 'ok', runner[1] and runner[1] ~= '' and runner[2] or '' }
if not append_task(reply, task_id) then return { 'not_found' } end
return reply
