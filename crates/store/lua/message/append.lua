-- Appends to a message's text. The cost does not grow with the text so far. A long text becomes
-- several events; the answer names the last.
--
-- A producer numbers what it appends, from 0 in each epoch: a repeat is answered again and not
-- applied, an older epoch is fenced, a gap is refused.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  Which.
--          author: Author<'a>   Who asks.
--          delta: text          What.
--          producer: text       Who numbers it, so that a repeat is not applied; empty for nobody.
--          epoch: int           Grows with every restart of the producer; older ones are fenced.
--          seq: int             0, 1, 2 … in each epoch.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
-- Returns  Written<Appended>:
--          ok(sequence: int, length: int)
--                               Done, now or before: the event's number, and the text's length in bytes.
--          gap(expected: int)   Something is missing in between; the seq to go on with.
--          fenced(epoch: int)   A later epoch of this producer has begun: that one.
--          too_long             The text would be longer than it may be.
--          too_many_producers   More producers than a message may have.
-- Emits    text_delta
-- include: expiring once message

epoch, seq = tonumber(epoch), tonumber(seq)

local is_new_producer = false

-- What a producer's number says: an answer, or nil when the delta is to be applied.
local function judge()
  local known = redis.call('HGET', key.producers(mid), producer)
  if not known then
    if redis.call('HLEN', key.producers(mid)) >= PRODUCERS_MAX then
      return { 'too_many_producers' }
    end
    is_new_producer = true
    return seq ~= 0 and { 'gap', 0 } or nil
  end
  local last = cmsgpack.unpack(known)
  if epoch < last.epoch then return { 'fenced', last.epoch } end
  local expected = epoch > last.epoch and 0 or last.seq + 1
  if seq == expected then return nil end
  if seq > expected or epoch > last.epoch then return { 'gap', expected } end
  return { 'ok', last.sequence, last.length }
end

-- Whether what old readers find of the text is too short.
local function is_far_behind(length)
  local shown = redis.call('HSTRLEN', key.message(mid), 'text')
  return length - shown > shown / TEXT_MIRROR_LAG
end

local function run()
  local message = read_message()
  local refused = refusal(message, author)
  if refused then return { refused } end
  local answered = producer ~= '' and judge()
  if answered then return answered end
  local json = quoted(delta)
  local more = #json - 2
  -- As JSON a text may be several times as long, and is never shorter.
  if not message.text_json or message.text_json + more > TEXT_BYTES_MAX then
    local bytes = redis.call('STRLEN', key.text(mid))
    message.text_json = math.max(message.text_json or 0, bytes)
    if bytes + #delta > TEXT_BYTES_MAX or message.text_json + more > TEXT_JSON_BYTES_MAX then
      return { 'too_long' }
    end
  end
  message.text_json = message.text_json + more
  local length = redis.call('APPEND', key.text(mid), delta)
  -- Old readers find the text in the hash, whose fields nothing appends to.
  if length <= TEXT_MIRRORED_BYTES or is_far_behind(length) then
    redis.call('HSET', key.message(mid), 'text', redis.call('GET', key.text(mid)))
  end
  emit_text(message, delta, json)
  if producer ~= '' then
    redis.call('HSET', key.producers(mid), producer, cmsgpack.pack({
      epoch = epoch, seq = seq, sequence = message.sequence, length = length }))
  end
  settle(message, ttl_ms, is_new_producer or length == #delta)
  return { 'ok', message.sequence, length }
end

return once(run)
