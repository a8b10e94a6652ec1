-- Lets whoever runs a message's task write to it under the token of its claim, in place of whoever
-- ran it before. A claim that is over, or older than the one that is known, changes nothing.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 caller · 5 token
-- Returns  'ok' · 'not_found' · 'claim_over'
-- full: runs
-- include: rfc3339 message

local message = read_message()
if not message then return { 'not_found' } end
local known, number = claim_number(message.claim), claim_number(ARGV[5])
if number < known or number == known and message.claim ~= ARGV[5] then return { 'claim_over' } end
redis.call('HSET', key.message(mid), 'runner', ARGV[4], 'claim', ARGV[5])
return { 'ok' }
