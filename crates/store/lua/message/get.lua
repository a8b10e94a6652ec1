-- Reads a message.
--
-- KEYS[1]  the message partition
-- ARGV     3 message
-- Returns  'ok', owner, the message (include snapshot) · 'not_found'
-- include: now message snapshot

local message = read_message()
if not message then return { 'not_found' } end
local reply = { 'ok', message.owner }
append_message(reply)
return reply
