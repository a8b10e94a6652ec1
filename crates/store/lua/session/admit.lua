-- Lists messages that are about to be made in a session. They keep the order in which they are
-- named, and one that is listed already keeps its place, so that a repeat changes nothing.
--
-- KEYS[1]  the session partition
-- ARGV     session_id: SessionId  Which session.
--          writer: Writer<'a>   Who asks.
--          ttl_ms: int          How long the list is kept, in milliseconds.
--          message_ids: MessageId*  In order.
-- Returns  Written<>:
--          ok(text)             The owner of the session, who owns its messages, whoever writes them.
-- include: now

local row = redis.call('HMGET', key.session(session_id), 'status', 'owner')
if not row[1] then return { 'not_found' } end
if writer ~= '' and row[2] ~= writer then return { 'forbidden' } end

local list = key.session_messages(session_id)
local known = 0
for _, message_id in ipairs(message_ids) do
  if redis.call('ZSCORE', list, message_id) then known = known + 1 end
end
if known < #message_ids then
  if row[1] ~= 'active' then return { 'closed' } end
  -- In microseconds, and never at or before the youngest: the order is that of admission.
  local at = tonumber(time[1]) * 1000000 + micros
  local youngest = redis.call('ZREVRANGE', list, 0, 0, 'WITHSCORES')[2]
  if youngest then at = math.max(at, tonumber(youngest) + 1) end
  for i, message_id in ipairs(message_ids) do
    redis.call('ZADD', list, 'NX', string.format('%.0f', at + i - 1), message_id)
  end
end
redis.call('HSET', key.session(session_id), 'updated_at', now)
redis.call('PEXPIRE', key.session(session_id), SESSION_TTL_MS)
redis.call('PEXPIRE', list, ttl_ms)
return { 'ok', row[2] }
