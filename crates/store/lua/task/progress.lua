-- Takes a sign of life from whoever runs a task: renews its lease, notes its progress.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          progress: Option<f64>
--                               0–1.
--          lease_ms: int?       A new length of the lease, in milliseconds.
-- Returns  Written<Standing>
-- full: runs
-- include: records once claim

local function run()
  local task = read_task(task_id)
  if task and task.status == 'cancelled' and task.token == token then
    return { 'cancelled', redis.call('HGET', key.task(task_id), 'progress') }
  end
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  if progress ~= '' then redis.call('HSET', key.task(task_id), 'progress', progress) end
  lease_ms = tonumber(lease_ms) or task.lease_ms
  redis.call('HSET', key.task(task_id), 'lease_ms', lease_ms)
  local left_ms = renew_lease(task, lease_ms)
  return { 'ok', task.status, redis.call('HGET', key.task(task_id), 'progress'), left_ms,
    task.message, task.waits and redis.call('LLEN', key.task_signals(task_id)) or 0 }
end

return once(run)
