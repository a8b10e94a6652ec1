-- Notes that all which follows from an accepted proposal is done. What it said is not needed any
-- more.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 message · 5 number of tasks · 6 1 if the proposer was answered else 0
-- Returns  'ok'

local record = key.proposal(ARGV[3], ARGV[4])
if redis.call('EXISTS', record) == 1 then
  redis.call('HSET', record, 'state', 'settled', 'tasks', ARGV[5], 'answered', ARGV[6])
  redis.call('HDEL', record, 'mail', 'old')
end
return { 'ok' }
