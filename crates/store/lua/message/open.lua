-- Makes a message, or finds the one that is there (contract.md §4). A complete one has its text from
-- the beginning.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  Which.
--          session_id: SessionId  The session.
--          role: text           Who speaks.
--          parent: text?        What it answers.
--          metadata: text       A JSON object.
--          owner: text          Who owns a new one.
--          is_complete: flag    It is complete at once.
--          text: text           Its text, if it is complete.
--          ttl_ms: int          How long it is kept after a write, in milliseconds.
-- Returns  Opened:
--          ok(is_new: flag)     It is there; `is_new`: it was not before.
--          elsewhere            The id belongs to another session.
-- Emits    message_start; for a complete one text_delta and message_end as well
-- include: expiring once message

local function run()
  local known = read_message()
  if known then return { known.sid == session_id and 'ok' or 'elsewhere', 0 } end
  local message = { sid = session_id, sequence = 0 }
  redis.call('HSET', key.message(mid), 'message_id', message_id, 'session_id', session_id, 'role', role,
    'parent', parent, 'metadata', metadata, 'owner', owner, 'is_complete', is_complete,
    'created_at', now)
  emit(message, 'message_start', '{"role":"' .. role .. '"}')
  if is_complete == '1' then
    redis.call('HSET', key.message(mid), 'text', text)
    emit_text(message, text, quoted(text))
    emit(message, 'message_end', '{}')
  end
  settle(message, ttl_ms)
  return { 'ok', 1 }
end

return once(run)
