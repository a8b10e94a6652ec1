-- Ends a task well.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 task id · 4 caller to check ('' none) · 5 token
--          6 result (JSON, '' for none) · 7 content block for its message (JSON, '' for none)
-- Returns  'ok', task row · 'not_found' · 'forbidden' · 'fenced'
-- Emits    task_completed
-- full: runs
-- include: now clock foreign rfc3339 records once event queue node claim

local id = ARGV[3]

local function run()
  local task = read_task(id)
  local refused = claim_refusal(task, ARGV[5], ARGV[4])
  keep_clock()
  if refused then return { refused } end
  redis.call('HSET', key.task(id), 'progress', 1)
  redis.call('HDEL', key.task(id), 'error')
  if ARGV[6] ~= '' then redis.call('HSET', key.task(id), 'result', ARGV[6]) end
  if ARGV[7] ~= '' and task.message ~= '' then
    redis.call('HSET', key.task(id), 'content', ARGV[7])
  end
  end_claim(task, true)
  count_end(task, true)
  end_task(task, 'completed', 'completed')
  local reply = { 'ok' }
  append_task(reply, id)
  return reply
end

return once(run)
