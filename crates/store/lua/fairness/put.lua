-- Sets the weights of keys of fairness, in place of those that tasks bring. Tasks that wait keep their places.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          weights: text*       A key and its weight in turn.
-- Returns  ok
-- include: records once audit

local function shown(list)
  local parts = {}
  for i = 1, #list, 2 do parts[#parts + 1] = cjson.encode(list[i]) .. ':' .. list[i + 1] end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function run()
  audit('fairness.set', 'fairness', shown(redis.call('HGETALL', key.fair_weights)), shown(weights))
  redis.call('DEL', key.fair_weights)
  if weights[1] then redis.call('HSET', key.fair_weights, unpack(weights)) end
  return { 'ok' }
end

return once(run)
