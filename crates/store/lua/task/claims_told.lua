-- Forgets claims that are over and of which their messages have heard.
--
-- KEYS[1]  the cluster partition
-- ARGV     claims: text*        Message and number of each, with a slash between them.
-- Returns  ok
-- full: runs

redis.call('ZREM', key.claims_over, unpack(claims))
return { 'ok' }
