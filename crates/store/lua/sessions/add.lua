-- Puts a session into the lists by which it is found.
--
-- KEYS[1]  the cluster partition
-- Call     AddToLists
-- ARGV     session_id: SessionId  Which.
--          user_id: text?       Whose.
--          owner: text          Who makes it.
--          most: int?           Most sessions of the owner; `None`: as many as it likes.
-- Returns  ok
-- include: quota

if not redis.call('ZSCORE', key.sessions, session_id) then
  local owned = redis.call('ZCARD', key.sessions_by_owner(owner))
  local refused = over_quota('quota_sessions', most, owned, 1)
  if refused then return refused end
  local number = redis.call('HINCRBY', key.cluster, 'session_sequence', 1)
  redis.call('ZADD', key.sessions, number, session_id)
  redis.call('ZADD', key.sessions_by_owner(owner), number, session_id)
  if user_id ~= '' then redis.call('ZADD', key.sessions_by_user(user_id), number, session_id) end
end
return { 'ok' }
