-- Reads a message.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 most bytes (none for any)
-- Returns  'ok', owner, the message (include snapshot) · 'large', owner: it has more bytes
--          'not_found'
-- include: message snapshot

local message = read_message()
if not message then return { 'not_found' } end
local most = tonumber(ARGV[4] or nil)
if most and redis.call('STRLEN', key.text(mid))
  + redis.call('HSTRLEN', key.message(mid), 'text') > most then
  return { 'large', message.owner }
end
local reply = { 'ok', message.owner }
if append_message(reply) > (most or math.huge) then return { 'large', message.owner } end
return reply
