-- Takes sessions that have expired off the lists.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 user ('' for none) · 4 owner ('' for none) · 5… sessions
-- Returns  'ok'
-- full: runs

redis.call('ZREM', key.sessions, unpack(ARGV, 5))
if ARGV[3] ~= '' then redis.call('ZREM', key.sessions_by_user(ARGV[3]), unpack(ARGV, 5)) end
if ARGV[4] ~= '' then redis.call('ZREM', key.sessions_by_owner(ARGV[4]), unpack(ARGV, 5)) end
return { 'ok' }
