-- Lets whoever runs a message's task write to it, in place of whoever ran it before.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 caller
-- Returns  'ok' · 'not_found'

if redis.call('EXISTS', key.message(ARGV[3])) == 0 then return { 'not_found' } end
redis.call('HSET', key.message(ARGV[3]), 'runner', ARGV[4])
return { 'ok' }
