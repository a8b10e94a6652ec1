-- Replays a message's events after a sequence number.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 sequence · 5 limit
-- Returns  'ok', owner, last sequence of the message, first sequence that is kept (0 for none), then
--          for each event: its JSON · 'not_found'
-- include: now message budget

local message = read_message()
if not message then return { 'not_found' } end
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local stream = key.stream(message.sid, mid)
local kept = redis.call('XLEN', stream)
local first = kept > 0 and message.sequence - kept + 1 or 0
local reply = { 'ok', message.owner, message.sequence, first }

-- Events are numbered without a hole and the last is the message's sequence, so that the ones
-- asked for are the youngest of the stream.
local wanted = math.min(message.sequence - after, kept)
if wanted <= 0 then return reply end
local youngest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', wanted)
for i = #youngest, math.max(#youngest - limit + 1, 1), -1 do
  local event = youngest[i][2][4]
  if not has_room(#event) then break end
  reply[#reply + 1] = event
end
return reply
