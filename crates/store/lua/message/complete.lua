-- Completes a message: nothing is written to it afterwards.
--
-- KEYS[1]  the message partition
-- ARGV     1-2 idempotency · 3 message · 4 author (include message) · 5 error (JSON, '' for none)
--          6 TTL in ms · 7 1 if the claim under which it was written is over else 0
-- Returns  'ok', sequence · 'not_found' · 'forbidden' · 'complete'
--          'needs_token' · 'claim_over'
-- Emits    error, if there is one; message_end
-- include: now rfc3339 expiring once message

local function run()
  local message = read_message()
  if message and message.claim and ARGV[7] == '1' then
    redis.call('HSET', key.message(mid), 'claim',
      string.format('%.0f', claim_number(message.claim)))
  end
  local refused = refusal(message, ARGV[4])
  if refused then return { refused } end
  -- Old readers find the text in the hash.
  redis.call('HSET', key.message(mid), 'is_complete', '1',
    'text', redis.call('GET', key.text(mid)) or '')
  redis.call('DEL', key.text(mid), key.producers(mid))
  if ARGV[5] ~= '' then emit(message, 'error', '{"error":' .. ARGV[5] .. '}') end
  emit(message, 'message_end', '{}')
  settle(message, ARGV[6])
  return { 'ok', message.sequence }
end

return once(run)
