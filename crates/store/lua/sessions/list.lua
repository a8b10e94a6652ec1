-- Lists sessions with their numbers, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     user_id: text?       Whose; `None` for all.
--          limit: int           Most sessions.
--          below: int?          The number to go on below.
--          owner: text?         Made by whom; `None` for all. Not looked at where a user is named.
-- Returns  ok(Numbered<SessionId>*)

local list = key.sessions
if user_id ~= '' then
  list = key.sessions_by_user(user_id)
elseif owner ~= '' then
  list = key.sessions_by_owner(owner)
end
local highest = below == '' and '+inf' or '(' .. below
return { 'ok', unpack(redis.call('ZREVRANGEBYSCORE', list, highest, '-inf', 'WITHSCORES',
  'LIMIT', 0, limit)) }
