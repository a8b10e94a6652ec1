-- Takes a sign of life from whoever runs a task: renews its lease, notes its progress and what it has used.
-- What a budget that is used up asks for is done by task/halt.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          progress: Option<f64>
--                               0–1.
--          lease_ms: int?       A new length of the lease, in milliseconds.
--          usage: text          What the try has used so far (JSON); empty: nothing is said.
--          checkpoint: Option<&'a Json>
--                               What the task's next claim begins with; none: as it was.
-- Returns  Written<Standing>
-- Emits    budget_exceeded
-- full: runs
-- include: records once claim usage checkpoint

local function run()
  local task = read_task(task_id)
  if task and task.status == 'cancelled' and task.token == token then
    return { 'cancelled', redis.call('HGET', key.task(task_id), 'progress') }
  end
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  if progress ~= '' then redis.call('HSET', key.task(task_id), 'progress', progress) end
  if checkpoint ~= '' then
    keep_checkpoint(task, checkpoint)
    -- Claims bring it of a task that has waited.
    redis.call('HSETNX', key.task(task_id), 'waits', 0)
    task.waits = task.waits or 0
  end
  local standing = usage ~= '' and spend(task, usage) or {}
  lease_ms = tonumber(lease_ms) or task.lease_ms
  redis.call('HSET', key.task(task_id), 'lease_ms', lease_ms)
  local left_ms = renew_lease(task, lease_ms)
  return { 'ok', task.status, redis.call('HGET', key.task(task_id), 'progress'), left_ms,
    task.message, task.waits and redis.call('LLEN', key.task_signals(task_id)) or 0,
    standing[1] or '', standing[2] or '', standing.asks or '', standing.scope or '' }
end

return once(run)
