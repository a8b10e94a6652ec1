-- Takes a sign of life from whoever runs a task: renews its lease, notes its progress.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 task id · 4 caller to check ('' none) · 5 token · 6 progress ('')
--          7 lease in ms ('' as before)
-- Returns  'ok', status, progress, ms that the lease has left, message ('') · 'cancelled', progress
--          'not_found' · 'forbidden' · 'fenced'
-- full: runs
-- include: now clock foreign rfc3339 records once event queue node claim

local id, token = ARGV[3], ARGV[5]

local function run()
  local task = read_task(id)
  if task and task.status == 'cancelled' and task.token == token then
    return { 'cancelled', redis.call('HGET', key.task(id), 'progress') }
  end
  local refused = claim_refusal(task, token, ARGV[4])
  keep_clock()
  if refused then return { refused } end
  if ARGV[6] ~= '' then redis.call('HSET', key.task(id), 'progress', ARGV[6]) end
  local lease_ms = ARGV[7] ~= '' and tonumber(ARGV[7]) or task.lease_ms
  redis.call('HSET', key.task(id), 'lease_ms', lease_ms)
  local left_ms = renew_lease(task, lease_ms)
  return { 'ok', task.status, redis.call('HGET', key.task(id), 'progress'), left_ms,
    task.message }
end

return once(run)
