-- Sets the weights of keys of fairness, in place of those that tasks bring. Tasks that wait keep their places.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          weights: text*       A key and its weight in turn.
-- Returns  ok
-- include: records once

local function run()
  redis.call('DEL', key.fair_weights)
  if weights[1] then redis.call('HSET', key.fair_weights, unpack(weights)) end
  return { 'ok' }
end

return once(run)
