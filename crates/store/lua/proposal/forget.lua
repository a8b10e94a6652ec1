-- Forgets that a proposal was being accepted: all is done, or it was not accepted.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 `<agent>/<message>`
-- Returns  'ok'
-- full: runs

redis.call('ZREM', key.unsettled_proposals, ARGV[3])
return { 'ok' }
