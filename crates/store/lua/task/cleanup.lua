-- Forgets tasks that ended long ago, some at a time: first those that are kept as long as the hub says,
-- then those that say it themselves.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          age_ms: int          How long ago they ended, in milliseconds.
--          after: int           [`Forgotten::next`] of the step before; 0 for the first.
-- Returns  ok(Forgotten)
-- Emits    group_ended
-- full: runs
-- include: records once forget audit

local before = now - age_ms

local function ended_before(id)
  return (tonumber(redis.call('HGET', key.task(id), 'completed_at')) or 0) <= before
end

local function run()
  audit('task.cleanup', 'tasks', nil, facts('ended_before', before))
  local till = '(' .. string.format('%.0f', before + 1)
  local found = redis.call('ZRANGEBYSCORE', key.ended_tasks, '-inf', till, 'LIMIT', 0, TASK_BATCH)
  if #found > 0 then return { 'ok', forget_some(found), after } end
  -- Those of which some stay: how many is where the next step goes on.
  after = tonumber(after)
  found = redis.call('ZRANGE', key.kept_tasks, after, after + TASK_BATCH - 1)
  local forgotten, looked = forget_some(found, ended_before)
  return { 'ok', forgotten, #found == 0 and '' or after + looked - forgotten }
end

return once(run)
