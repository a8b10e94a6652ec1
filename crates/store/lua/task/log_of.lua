-- Says who may read a task's log, and whether there may be one.
--
-- KEYS[1]  the cluster partition
-- Call     LookForLog
-- ARGV     task_id: TaskId      Of which task.
-- Returns  ok(LogOf)
--          not_found

local row = redis.call('HMGET', key.task(task_id), 'status', 'owner', 'assigned_node', 'runner', 'seq',
  'logged')
if not row[1] or row[1] == 'draft' then return { 'not_found' } end
return { 'ok', row[2], row[3] and row[3] ~= '' and row[4] or '', row[5], row[1], row[6] and 1 or 0 }
