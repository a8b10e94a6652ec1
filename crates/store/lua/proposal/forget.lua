-- Forgets that a proposal was being accepted: all is done, or it was not accepted.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           As which it was noted.
-- Returns  ok
-- full: runs

redis.call('ZREM', key.unsettled_proposals, name)
return { 'ok' }
