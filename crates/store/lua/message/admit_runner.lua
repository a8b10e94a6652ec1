-- Lets whoever runs a message's task write to it under the token of its claim, in place of whoever
-- ran it before. A claim that is over, or older than the one that is known, changes nothing.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Which message.
--          runner: text         The caller who claimed the task.
--          token: Token         The claim's token.
-- Returns  RunnerAdmitted:
--          ok                   It may write.
--          not_found            There is no such message.
--          claim_over           A later claim is known.
-- full: runs
-- include: message

local message = read_message()
if not message then return { 'not_found' } end
local known, number = claim_number(message.claim), claim_number(token)
if number < known or number == known and message.claim ~= token then return { 'claim_over' } end
redis.call('HSET', key.message(mid), 'runner', runner, 'claim', token)
return { 'ok' }
