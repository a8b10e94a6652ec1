-- Forgets a task that has ended.
--
-- KEYS[1]  the cluster partition
-- ARGV     audit
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok(text)             Which task of this id it was, if it has a log; else nothing.
-- Emits    group_ended
-- full: runs
-- include: claim audit

local task = read_task(task_id)
if not task then return { 'not_found' } end
if is_foreign(task.owner, writer) then return { 'forbidden' } end
if not is_ended(task.status) then return { 'state', task.status } end
if redis.call('ZSCORE', key.unsettled_tasks, task.id) or is_untold(task) then
  return { 'state', 'unsettled' }
end
forget_task(task)
audit('task.remove', task_id, facts('status', task.status))
return { 'ok', task.logged and task.seq or '' }
