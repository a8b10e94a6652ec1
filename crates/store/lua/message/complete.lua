-- Completes a message: nothing is written to it afterwards.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  Which.
--          author: Author<'a>   Who asks.
--          error: Reason<'a>    Why it ends early.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
--          ends_claim: flag     The message's task has ended, and with it the claim of its runner.
-- Returns  Written<>:
--          ok(int)              The last event's number.
-- Emits    error, if there is one; message_end
-- include: expiring once message

local function run()
  local message = read_message()
  if message and message.claim and ends_claim == '1' then
    redis.call('HSET', key.message(mid), 'claim',
      string.format('%.0f', claim_number(message.claim)))
  end
  local refused = refusal(message, author)
  if refused then return { refused } end
  -- Old readers find the text in the hash.
  redis.call('HSET', key.message(mid), 'is_complete', '1',
    'text', redis.call('GET', key.text(mid)) or '')
  redis.call('DEL', key.text(mid), key.producers(mid))
  if error ~= '' then emit(message, 'error', '{"error":' .. error .. '}') end
  emit(message, 'message_end', '{}')
  settle(message, ttl_ms)
  return { 'ok', message.sequence }
end

return once(run)
