-- Takes sessions that have expired off the lists.
--
-- KEYS[1]  the cluster partition
-- Call     RemoveFromLists
-- ARGV     user_id: text?       Whose list, besides the list of all.
--          owner: text?         And off the list of what this one made.
--          session_ids: SessionId*  Which: at least one.
-- Returns  ok
-- full: runs

redis.call('ZREM', key.sessions, unpack(session_ids))
if user_id ~= '' then redis.call('ZREM', key.sessions_by_user(user_id), unpack(session_ids)) end
if owner ~= '' then redis.call('ZREM', key.sessions_by_owner(owner), unpack(session_ids)) end
return { 'ok' }
