-- Forgets claims that are over and of which their messages have heard, and logs that were removed.
--
-- KEYS[1]  the cluster partition
-- ARGV     claims: text*        As task/claims_over names them.
-- Returns  ok
-- full: runs

redis.call('ZREM', key.claims_over, unpack(claims))
return { 'ok' }
