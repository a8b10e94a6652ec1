-- Takes sessions that have expired off the lists.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 user ('' for none) · 4… sessions
-- Returns  'ok'

redis.call('ZREM', key.sessions, unpack(ARGV, 4))
if ARGV[3] ~= '' then redis.call('ZREM', key.sessions_by_user(ARGV[3]), unpack(ARGV, 4)) end
return { 'ok' }
