-- Cancels a task that has not ended. Whoever runs it hears of it with its next heartbeat or
-- progress; until then the node counts it by its own report.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok(Box<Task>)
-- Emits    task_cancelled
-- full: runs
-- include: records once claim

local function run()
  local task = read_task(task_id)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, writer) then return { 'forbidden' } end
  if is_ended(task.status) then return { 'ended', task.status } end
  if task.status == 'running' then
    end_claim(task, false)
    note_lost(task.node, { task_id }, 'cancelled')
  else
    dequeue(task)
  end
  end_task(task, 'cancelled', 'cancelled')
  keep_clock()
  local reply = { 'ok' }
  append_task(reply, task_id)
  return reply
end

return once(run)
