-- Forgets what a model costs: it costs nothing, unless whoever uses it says what.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          model: text          Which.
-- Returns  Written<>:
--          ok
-- include: records once clock

local function run()
  if redis.call('HDEL', key.prices, model) == 0 then return { 'not_found' } end
  keep_clock()
  return { 'ok' }
end

return once(run)
