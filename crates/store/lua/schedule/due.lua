-- Lists schedules whose next run has come due, those first that have waited longest.
--
-- KEYS[1]  the cluster partition
-- Call     ReadDue
-- ARGV     none
-- Returns  ok(Vec<Schedule>)
-- include: schedule

local due = redis.call('ZRANGEBYSCORE', key.schedules_due, '-inf', now, 'LIMIT', 0, SCHEDULES_DUE_BATCH)
local reply = { 'ok' }
for _, id in ipairs(due) do append_schedule(reply, id) end
return reply
