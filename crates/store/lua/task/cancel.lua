-- Cancels a task that has not ended. Whoever runs it hears of it with its next heartbeat or
-- progress; until then the node counts it by its own report.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok(Ended)
-- Emits    task_cancelled
-- full: runs
-- include: records once cancel audit

local function run()
  local task = read_task(task_id)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, writer) then return { 'forbidden' } end
  if is_ended(task.status) then return { 'ended', task.status } end
  audit('task.cancel', task_id, facts('status', task.status), facts('status', 'cancelled'))
  cancel_task(task)
  keep_clock()
  local reply = { 'ok', is_in_flow(task) and 1 or 0 }
  append_task(reply, task_id)
  return reply
end

return once(run)
