-- Lists sessions, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 user ('' for all) · 4 limit · 5 number to go on below ('' from the top)
--          6 owner ('' for all); with a user as well, the list is the user's
-- Returns  'ok', then 2 for each: session, its number

local list = key.sessions
if ARGV[3] ~= '' then
  list = key.sessions_by_user(ARGV[3])
elseif ARGV[6] ~= '' then
  list = key.sessions_by_owner(ARGV[6])
end
local below = ARGV[5] == '' and '+inf' or '(' .. ARGV[5]
return { 'ok', unpack(redis.call('ZREVRANGEBYSCORE', list, below, '-inf', 'WITHSCORES',
  'LIMIT', 0, ARGV[4])) }
