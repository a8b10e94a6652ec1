-- Takes nothing more under a claim that is over, or under an older one.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 token, or its number
-- Returns  'ok'
-- full: runs
-- include: rfc3339 message

local message = read_message()
local number = claim_number(ARGV[4])
if message and claim_number(message.claim) <= number then
  redis.call('HSET', key.message(mid), 'claim', string.format('%.0f', number))
end
return { 'ok' }
