-- Forgets tasks that ended long ago, some at a time. One whose message has not heard of its end yet
-- stays, since nobody could tell it afterwards.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          age_ms: int          How long ago they ended, in milliseconds.
-- Returns  ok(int)              How many.
-- full: runs
-- include: records once claim

local function run()
  local before = '(' .. string.format('%.0f', now - age_ms + 1)
  local found = redis.call('ZRANGEBYSCORE', key.ended_tasks, '-inf', before, 'LIMIT', 0, TASK_BATCH)
  local forgotten = 0
  for _, id in ipairs(found) do
    if not redis.call('ZSCORE', key.unsettled_tasks, id) then
      local task = read_task(id)
      if task then forget_task(task) else redis.call('ZREM', key.ended_tasks, id) end
      forgotten = forgotten + 1
    end
  end
  return { 'ok', forgotten }
end

return once(run)
