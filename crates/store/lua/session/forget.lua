-- Takes messages off a session's list, after they are gone.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4… messages
-- Returns  'ok', how many were listed
-- full: runs

return { 'ok', redis.call('ZREM', key.session_messages(ARGV[3]), unpack(ARGV, 4)) }
