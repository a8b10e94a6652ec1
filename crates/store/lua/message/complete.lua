-- Completes a message: nothing is written to it afterwards.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  Which.
--          author: Author<'a>   Who asks.
--          error: Reason<'a>    Why it ends early.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
--          ends_claim: flag     The message's task has ended, and with it the claim of its runner.
--          superseded: flag     Another message has taken its place, which its metadata say from now on.
-- Returns  Written<>:
--          ok(int)              The last event's number.
-- Emits    error, if there is one; message_end
-- include: expiring once message

-- Notes in the metadata, a JSON object, that another message has taken the place of this one.
local function supersede()
  local metadata = redis.call('HGET', key.message(mid), 'metadata')
  local rest = string.match(metadata, '^%s*{%s*(.*)$')
  if string.find(rest, '^"superseded":true') then return end
  redis.call('HSET', key.message(mid), 'updated_at', now, 'metadata',
    '{"superseded":true' .. (string.sub(rest, 1, 1) == '}' and '' or ',') .. rest)
end

local function run()
  local message = read_message()
  if message and message.claim and ends_claim == '1' then
    redis.call('HSET', key.message(mid), 'claim',
      string.format('%.0f', claim_number(message.claim)))
  end
  if message and superseded == '1' then supersede() end
  local refused = refusal(message, author)
  if refused then return { refused } end
  -- Old readers find the text in the hash.
  redis.call('HSET', key.message(mid), 'is_complete', '1',
    'text', redis.call('GET', key.text(mid)) or '')
  redis.call('DEL', key.text(mid), key.producers(mid))
  if error ~= '' then emit(message, 'error', '{"error":' .. error .. '}') end
  emit(message, 'message_end', superseded == '1' and '{"superseded":true}' or '{}')
  settle(message, ttl_ms)
  return { 'ok', message.sequence }
end

return once(run)
