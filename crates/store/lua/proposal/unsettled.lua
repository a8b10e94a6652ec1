-- Names proposals whose acceptance a crash may have left half done. What is younger is still being
-- worked on. Those that are named go to the end, lest one that has to wait for room holds others up.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(text*)            As which they were noted.
-- full: runs
-- include: clock

local before = clock - PROPOSAL_UNFINISHED_MS
local found = redis.call('ZRANGEBYSCORE', key.unsettled_proposals, '-inf', before, 'LIMIT', 0,
  TASK_BATCH)
local reply = { 'ok' }
for _, name in ipairs(found) do
  redis.call('ZADD', key.unsettled_proposals, clock, name)
  reply[#reply + 1] = name
end
if #found > 0 then keep_clock() end
return reply
