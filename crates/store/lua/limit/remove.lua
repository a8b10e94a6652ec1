-- Removes a limit: what was under it is under none.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          name: LimitId      Which.
-- Returns  Written<>:
--          ok
-- Emits    limit_removed
-- include: records once limits

local function run()
  if redis.call('DEL', key.limit(name)) == 0 then return { 'not_found' } end
  redis.call('ZREM', key.limits, name)
  open_all_of(name)
  tell_limit_changed('limit_removed', name)
  keep_clock()
  return { 'ok' }
end

return once(run)
