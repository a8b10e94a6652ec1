-- Puts tasks back into the queue that failed, ran out of time or were cancelled, with all their
-- tries; one that waits out a back-off goes at once.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok(Box<Task>)
-- Emits    task_pending
-- include: records once claim revive audit

local function run()
  local task = read_task(task_id)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, writer) then return { 'forbidden' } end
  local refused = revival_refusal(task)
  if refused then return { refused, task.status } end
  local before = facts('status', task.status)
  revive(task, 'retried')
  audit('task.retry', task_id, before, facts_of(key.task(task_id), 'status t'))
  keep_clock()
  local reply = { 'ok' }
  append_task(reply, task_id)
  return reply
end

return once(run)
