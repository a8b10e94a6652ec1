-- Puts a session into the lists by which it is found.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 session · 4 user ('' for none) · 5 owner
--          6 most sessions of the owner ('' for no bound)
-- Returns  'ok' · 'quota'
-- include: quota

if not redis.call('ZSCORE', key.sessions, ARGV[3]) then
  local owned = redis.call('ZCARD', key.sessions_by_owner(ARGV[5]))
  local refused = over_quota('quota_sessions', ARGV[6], owned, 1)
  if refused then return refused end
  local number = redis.call('HINCRBY', key.cluster, 'session_sequence', 1)
  redis.call('ZADD', key.sessions, number, ARGV[3])
  redis.call('ZADD', key.sessions_by_owner(ARGV[5]), number, ARGV[3])
  if ARGV[4] ~= '' then redis.call('ZADD', key.sessions_by_user(ARGV[4]), number, ARGV[3]) end
end
return { 'ok' }
