-- Removes a limit: what was under it is under none.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          name: LimitId      Which.
-- Returns  Written<>:
--          ok
-- Emits    limit_removed
-- include: records once limits audit

local function run()
  local before = facts_of(key.limit(name), 'concurrency n rates j paused f per_owner f note t')
  if redis.call('DEL', key.limit(name)) == 0 then return { 'not_found' } end
  redis.call('ZREM', key.limits, name)
  open_all_of(name)
  tell_limit_changed('limit_removed', name)
  audit('limit.remove', name, before)
  keep_clock()
  return { 'ok' }
end

return once(run)
