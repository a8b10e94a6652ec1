-- Makes a session, or finds the one that is there.
--
-- KEYS[1]  the session partition
-- ARGV     once
--          session_id: SessionId  Which.
--          user_id: text?       Whose.
--          metadata: text       A JSON object.
--          owner: text          Who owns a new one.
--          writer: Writer<'a>   Who asks.
--          audience: text?      Who may run its tasks, by [`kept_audience`]; `None`: as the hub says.
--          if_busy: text?       What a task does that is submitted while others are unfinished.
-- Returns  Opened:
--          ok(is_new: flag, status: text, created_at: UnixMillis)
--                               It is there, `active` or `closed`; `is_new`: it was not before.
--          forbidden            It is there and belongs to somebody else.
-- include: expiring once

local function run()
  local row = redis.call('HMGET', key.session(session_id), 'status', 'created_at', 'owner')
  if row[1] and writer ~= '' and row[3] ~= writer then return { 'forbidden' } end
  if row[1] then return { 'ok', 0, row[1], row[2] } end
  redis.call('HSET', key.session(session_id), 'user_id', user_id, 'status', 'active',
    'metadata', metadata, 'owner', owner, 'audience', audience, 'if_busy', if_busy,
    'created_at', now, 'updated_at', now)
  redis.call('PEXPIRE', key.session(session_id), SESSION_TTL_MS)
  return { 'ok', 1, 'active', now }
end

return once(run)
