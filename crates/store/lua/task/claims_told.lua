-- Forgets claims that are over and of which their messages have heard.
--
-- KEYS[1]  the cluster partition
-- ARGV     3… message and number, with a slash between them
-- Returns  'ok'

redis.call('ZREM', key.claims_over, unpack(ARGV, 3))
return { 'ok' }
