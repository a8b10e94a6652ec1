-- Sets what a model costs.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          model: text          Which.
--          price: text          Millionths for a million tokens: `input/output/cached`.
--          by: text             Who says so.
-- Returns  PricePut:
--          ok(price: ModelPrice)
--          too_many             There are as many as there may be.
-- include: records once clock audit

local function run()
  local is_new = redis.call('HEXISTS', key.prices, model) == 0
  if is_new and redis.call('HLEN', key.prices) >= PRICES_MAX then return { 'too_many' } end
  local value = price .. '/' .. string.format('%.0f', now) .. '/' .. by
  local before = string.match(redis.call('HGET', key.prices, model) or '', '^[^/]+/[^/]+/[^/]+')
  audit('price.set', model, before and facts('price', before), facts('price', price))
  redis.call('HSET', key.prices, model, value)
  keep_clock()
  return { 'ok', model, value }
end

return once(run, function(reply) return reply[1] == 'ok' end)
