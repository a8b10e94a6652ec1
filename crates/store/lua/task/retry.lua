-- Puts tasks back into the queue that failed, ran out of time or were cancelled, with all their
-- tries; one that waits out a back-off goes at once.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 task id · 4 caller to check ('' none)
-- Returns  'ok', task row · 'not_found' · 'forbidden' · 'state', status · 'settled'
-- Emits    task_pending
-- include: now clock foreign rfc3339 records once event queue node claim revive

local id = ARGV[3]

local function run()
  local task = read_task(id)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, ARGV[4]) then return { 'forbidden' } end
  local refused = revival_refusal(task)
  if refused then return { refused, task.status } end
  revive(task, 'retried')
  keep_clock()
  local reply = { 'ok' }
  append_task(reply, id)
  return reply
end

return once(run)
