-- Joins a message's events where a reader left off (contract.md §7). The reader listens to the live
-- channel before it calls this, so that nothing lies in between.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Which message.
--          session_id: SessionId  The session that it must belong to.
--          cursor: &'a Cursor   Where the reader left off.
--          limit: int           Most events.
-- Returns  Followed:
--          ok(owner: text, expires_in: Option<Duration>, is_all: flag, events: StreamEvent*)
--                               What lies behind the cursor, in order; `is_all`: there is no more now.
--                               Unless it is written to, it is kept for so long, `None` for ever.
--          ended(owner: text)   The message is complete and the reader has seen its end.
--          snapshot(owner: text, expires_in: Option<Duration>, id: text, message: Box<Shown>)
--                               The log does not reach back to the cursor, or never held it: here is the
--                               message as it is at a place in the stream.
--          not_found            There is no such message in that session.
-- include: log snapshot

local message = read_message()
if not message or message.sid ~= session_id then return { 'not_found' } end
limit = tonumber(limit)
local kind, value = string.match(cursor, '^(%a+)/?(.*)$')
local stream = key.stream(message.sid, mid)
local kept = redis.call('XLEN', stream)
local ttl_ms = redis.call('PTTL', key.message(mid))

local function snapshot()
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local reply = { 'snapshot', message.owner, ttl_ms, last and last[1] or '0-0' }
  append_message(reply)
  return reply
end

-- The number of the event that the reader has seen last; nil if that cannot be told.
local function seen()
  if kind == 'begin' then return 0 end
  if kind == 'sequence' then
    local sequence = tonumber(value)
    return sequence <= message.sequence and sequence or nil
  end
  if kind == 'stream' then
    local entry = redis.call('XRANGE', stream, value, value)[1]
    return entry and sequence_of(entry)
  end
end

local last_seen = seen()
local count = last_seen and message.sequence - last_seen
if not count or count > kept then return snapshot() end
if count == 0 and message.is_complete then return { 'ended', message.owner } end
local reply = { 'ok', message.owner, ttl_ms, 1 }
if count == 0 then return reply end

local function take(entry)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3] = entry[1], entry[2][2], entry[2][4]
end

local taken
if kind == 'stream' then
  taken = read_log(stream, '(' .. value, 0, limit, take)
else
  taken = read_after(stream, last_seen, limit, take)
end
if taken < count then reply[4] = 0 end
return reply
