-- Reads what models cost.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(Vec<ModelPrice>)

local reply = redis.call('HGETALL', key.prices)
table.insert(reply, 1, 'ok')
return reply
