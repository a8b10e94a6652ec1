-- Replays a message's events after a sequence number: fewer than asked for where they are large.
--
-- KEYS[1]  the message partition
-- Call     ReadEvents
-- ARGV     message_id: MessageId  Of which message.
--          after: int           After which.
--          limit: int           Most events.
-- Returns  ok(Owned<Events>)
--          not_found
-- include: log

local message = read_message()
if not message then return { 'not_found' } end
after, limit = tonumber(after), tonumber(limit)
local stream = key.stream(message.sid, mid)
local kept = redis.call('XLEN', stream)
local first = kept > 0 and message.sequence - kept + 1 or 0
local reply = { 'ok', message.owner, message.sequence, first }

if kept == 0 or after >= message.sequence then return reply end
read_after(stream, math.max(after, first - 1), limit, function(entry)
  reply[#reply + 1] = entry[2][4]
end)
return reply
