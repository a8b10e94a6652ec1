-- What happened to the leadership, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 limit
-- Returns  'ok', entries as JSON…

return { 'ok', unpack(redis.call('LRANGE', key.leader_history, 0, tonumber(ARGV[3]) - 1)) }
