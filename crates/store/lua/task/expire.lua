-- Forgets tasks that have been kept as long as they were to be, some at a time.
--
-- KEYS[1]  the cluster partition
-- ARGV     kept_ms: int         How long those are kept that do not say it, in milliseconds.
-- Returns  ok(Expired)
-- Emits    group_ended
-- full: runs
-- include: forget

local due = redis.call('ZRANGEBYSCORE', key.kept_tasks, '-inf', string.format('%.0f', now),
  'LIMIT', 0, TASK_BATCH)
if #due < TASK_BATCH then
  local till = string.format('%.0f', now - kept_ms)
  local old = redis.call('ZRANGEBYSCORE', key.ended_tasks, '-inf', till, 'LIMIT', 0, TASK_BATCH - #due)
  for _, id in ipairs(old) do due[#due + 1] = id end
end
local forgotten, looked = forget_some(due)
return { 'ok', forgotten, (#due == TASK_BATCH or looked < #due) and 1 or 0 }
