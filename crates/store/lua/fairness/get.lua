-- Reads the weights of keys of fairness.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(text*)            A key and its weight in turn.

return { 'ok', unpack(redis.call('HGETALL', key.fair_weights)) }
