-- Lists sessions, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 user ('' for all) · 4 limit · 5 number to go on below ('' from the top)
-- Returns  'ok', then 2 for each: session, its number

local list = ARGV[3] == '' and key.sessions or key.sessions_by_user(ARGV[3])
local below = ARGV[5] == '' and '+inf' or '(' .. ARGV[5]
return { 'ok', unpack(redis.call('ZREVRANGEBYSCORE', list, below, '-inf', 'WITHSCORES',
  'LIMIT', 0, ARGV[4])) }
