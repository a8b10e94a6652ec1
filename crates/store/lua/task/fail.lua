-- Ends a try of a task badly. With tries left it is pending again and waits out a back-off that
-- doubles with each try, of which a random half is left out so that tasks that failed together do
-- not come back together.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 task id · 4 caller to check ('' none) · 5 token · 6 error
--          7 1 if it may be tried again else 0 · 8 first back-off in ms · 9 longest back-off in ms
-- Returns  'ok', task row · 'not_found' · 'forbidden' · 'fenced'
-- Emits    task_pending · task_failed
-- full: runs
-- include: now clock foreign rfc3339 records once event queue node claim

local id = ARGV[3]

local function back_off(task)
  local wait_ms = math.min(tonumber(ARGV[8]) * 2 ^ task.retries, tonumber(ARGV[9]))
  wait_ms = math.floor(wait_ms / 2 + wait_ms / 2 * (micros % 1000) / 1000)
  redis.call('HINCRBY', key.task(id), 'retry_count', 1)
  redis.call('ZREM', key.tasks_by_node(task.node), id)
  redis.call('HSET', key.task(id), 'assigned_node', '', 'scheduled_at', now + wait_ms)
  redis.call('ZADD', key.delayed_tasks, clock + wait_ms, id)
  move_task(task, 'pending', 'failed')
end

local function run()
  local task = read_task(id)
  local refused = claim_refusal(task, ARGV[5], ARGV[4])
  keep_clock()
  if refused then return { refused } end
  redis.call('HSET', key.task(id), 'error', ARGV[6])
  end_claim(task, true)
  if ARGV[7] == '1' and task.retries < task.retries_max then
    back_off(task)
  else
    count_end(task, false)
    end_task(task, 'failed', 'failed')
  end
  local reply = { 'ok' }
  append_task(reply, id)
  return reply
end

return once(run)
