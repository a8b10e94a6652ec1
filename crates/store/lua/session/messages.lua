-- Lists a session's messages, oldest first.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4 offset · 5 place to go on after ('' for none) · 6 limit
-- Returns  'ok', owner, place to go on after ('' at the end), then 2 for each message:
--          id, place · 'not_found'

local sid, limit = ARGV[3], tonumber(ARGV[6])
local owner = redis.call('HGET', key.session(sid), 'owner')
if not owner then return { 'not_found' } end
local from = ARGV[5] == '' and '-inf' or '(' .. ARGV[5]
local found = redis.call('ZRANGEBYSCORE', key.session_messages(sid), from, '+inf', 'WITHSCORES',
  'LIMIT', ARGV[4], limit + 1)
local reply = { 'ok', owner, '' }
for i = 1, math.min(#found, 2 * limit) do reply[#reply + 1] = found[i] end
if #found > 2 * limit then reply[3] = found[2 * limit] end
return reply
