-- Takes nothing more under a claim that is over, or under an older one.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Which message.
--          token: text          The claim's token, or the number that it begins with.
-- Returns  ok
-- full: runs
-- include: message

local message = read_message()
local number = claim_number(token)
if message and claim_number(message.claim) <= number then
  redis.call('HSET', key.message(mid), 'claim', string.format('%.0f', number))
end
return { 'ok' }
