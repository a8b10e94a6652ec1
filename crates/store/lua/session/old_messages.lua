-- Names messages of a session that are older than an age.
--
-- KEYS[1]  the session partition
-- ARGV     session_id: SessionId  Which session.
--          writer: Writer<'a>   Who asks.
--          age_ms: int          How old, in milliseconds.
--          limit: int           Most messages.
-- Returns  Written<>:
--          ok(MessageId*)
-- include: now

local owner = redis.call('HGET', key.session(session_id), 'owner')
if not owner then return { 'not_found' } end
if writer ~= '' and owner ~= writer then return { 'forbidden' } end
local before = string.format('%.0f', (now - tonumber(age_ms)) * 1000)
return { 'ok', unpack(redis.call('ZRANGEBYSCORE', key.session_messages(session_id), '-inf', before,
  'LIMIT', 0, limit)) }
