-- Closes a session: no messages are added any more. Closing a closed one changes nothing.
--
-- KEYS[1]  the session partition
-- ARGV     session_id: SessionId  Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok
-- full: runs
-- include: now

local row = redis.call('HMGET', key.session(session_id), 'status', 'owner')
if not row[1] then return { 'not_found' } end
if writer ~= '' and row[2] ~= writer then return { 'forbidden' } end
if row[1] ~= 'closed' then
  redis.call('HSET', key.session(session_id), 'status', 'closed', 'updated_at', now)
end
return { 'ok' }
