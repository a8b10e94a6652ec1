-- Replays a message's events after a sequence number: fewer than asked for where they are large.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 sequence · 5 limit
-- Returns  'ok', owner, last sequence of the message, first sequence that is kept (0 for none), then
--          for each event: its JSON · 'not_found'
-- include: message log

local message = read_message()
if not message then return { 'not_found' } end
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local stream = key.stream(message.sid, mid)
local kept = redis.call('XLEN', stream)
local first = kept > 0 and message.sequence - kept + 1 or 0
local reply = { 'ok', message.owner, message.sequence, first }

if kept == 0 or after >= message.sequence then return reply end
read_after(stream, math.max(after, first - 1), limit, function(entry)
  reply[#reply + 1] = entry[2][4]
end)
return reply
