-- Makes a message, or finds the one that is there (contract.md §4). A complete one has its text from
-- the beginning.
--
-- KEYS[1]  the message partition
-- ARGV     1-2 idempotency · 3 message · 4 session · 5 role · 6 parent ('') · 7 metadata (JSON)
--          8 owner · 9 1 if it is complete at once · 10 its text then · 11 TTL in ms
-- Returns  'ok', 1 if new else 0 · 'elsewhere' (it belongs to another session)
-- Emits    message_start; for a complete one text_delta and message_end as well
-- include: now rfc3339 expiring once message

local sid, role, ttl_ms = ARGV[4], ARGV[5], ARGV[11]

local function run()
  local known = read_message()
  if known then return { known.sid == sid and 'ok' or 'elsewhere', 0 } end
  local message = { sid = sid, sequence = 0 }
  redis.call('HSET', key.message(mid), 'message_id', mid, 'session_id', sid, 'role', role, 'parent', ARGV[6],
    'metadata', ARGV[7], 'owner', ARGV[8], 'is_complete', ARGV[9], 'created_at', now)
  emit(message, 'message_start', '{"role":"' .. role .. '"}')
  if ARGV[9] == '1' then
    redis.call('HSET', key.message(mid), 'text', ARGV[10])
    emit_text(message, ARGV[10], quoted(ARGV[10]))
    emit(message, 'message_end', '{}')
  end
  settle(message, ttl_ms)
  return { 'ok', 1 }
end

return once(run)
