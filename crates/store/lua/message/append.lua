-- Appends to a message's text. The cost does not grow with the text so far. A long text becomes
-- several events; the answer names the last.
--
-- A producer numbers what it appends, from 0 in each epoch: a repeat is answered again and not
-- applied, an older epoch is fenced, a gap is refused.
--
-- KEYS[1]  the message partition
-- ARGV     1-2 idempotency · 3 message · 4 author (include message) · 5 delta · 6 TTL in ms
--          7 producer ('' for none) · 8 epoch · 9 seq · 10 most producers · 11 longest text in bytes
--          12 longest text as JSON, in bytes
-- Returns  'ok', sequence, length of the text in bytes · 'gap', seq expected · 'fenced', epoch
--          'too_many_producers' · 'too_long' · 'not_found' · 'forbidden' · 'complete'
--          'needs_token' · 'claim_over'
-- Emits    text_delta
-- include: now rfc3339 expiring once message

local delta, producer, epoch, seq = ARGV[5], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])

-- What a producer's number says: an answer, or nil when the delta is to be applied.
local function judge()
  local known = redis.call('HGET', key.producers(mid), producer)
  if not known then
    if redis.call('HLEN', key.producers(mid)) >= tonumber(ARGV[10]) then
      return { 'too_many_producers' }
    end
    return seq ~= 0 and { 'gap', 0 } or nil
  end
  local last = cmsgpack.unpack(known)
  if epoch < last.epoch then return { 'fenced', last.epoch } end
  local expected = epoch > last.epoch and 0 or last.seq + 1
  if seq == expected then return nil end
  if seq > expected or epoch > last.epoch then return { 'gap', expected } end
  return { 'ok', last.sequence, last.length }
end

local function run()
  local message = read_message()
  local refused = refusal(message, ARGV[4])
  if refused then return { refused } end
  local answered = producer ~= '' and judge()
  if answered then return answered end
  local json = quoted(delta)
  local bytes = redis.call('STRLEN', key.text(mid))
  -- As JSON a text may be several times as long.
  message.text_json = math.max(message.text_json or 0, bytes) + #json - 2
  if bytes + #delta > tonumber(ARGV[11]) or message.text_json > tonumber(ARGV[12]) then
    return { 'too_long' }
  end
  local length = redis.call('APPEND', key.text(mid), delta)
  emit_text(message, delta, json)
  if producer ~= '' then
    redis.call('HSET', key.producers(mid), producer, cmsgpack.pack({
      epoch = epoch, seq = seq, sequence = message.sequence, length = length }))
  end
  settle(message, ARGV[6])
  return { 'ok', message.sequence, length }
end

return once(run)
