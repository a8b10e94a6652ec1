-- Forgets what a model costs: it costs nothing, unless whoever uses it says what.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          model: text          Which.
-- Returns  Written<>:
--          ok
-- include: records once clock audit

local function run()
  local before = redis.call('HGET', key.prices, model)
  if redis.call('HDEL', key.prices, model) == 0 then return { 'not_found' } end
  audit('price.remove', model, facts('price', string.match(before, '^[^/]+/[^/]+/[^/]+')))
  keep_clock()
  return { 'ok' }
end

return once(run)
