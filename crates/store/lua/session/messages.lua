-- Lists a session's messages, oldest first.
--
-- KEYS[1]  the session partition
-- Call     ListMessages
-- ARGV     session_id: SessionId  Which session.
--          offset: int          How many to pass over.
--          after: int?          [`MessageIds::next`] of the page before.
--          limit: int           Most messages.
-- Returns  ok(Owned<MessageIds>)
--          not_found

limit = tonumber(limit)
local owner = redis.call('HGET', key.session(session_id), 'owner')
if not owner then return { 'not_found' } end
local from = after == '' and '-inf' or '(' .. after
local found = redis.call('ZRANGEBYSCORE', key.session_messages(session_id), from, '+inf',
  'WITHSCORES', 'LIMIT', offset, limit + 1)
local reply = { 'ok', owner, '' }
for i = 1, math.min(#found, 2 * limit) do reply[#reply + 1] = found[i] end
if #found > 2 * limit then reply[3] = found[2 * limit] end
return reply
