-- Notes until when the runs of a schedule are decided, and when the next one comes due.
--
-- KEYS[1]  the cluster partition
-- Call     Advance
-- ARGV     schedule_id: ScheduleId  Which.
--          revision: int        That was looked at.
--          from: int            Until when they were decided.
--          until_ms: int        Until when they are now.
--          next_ms: int?        When the next one comes due.
--          missed: int          Runs that nobody makes up for.
-- Returns  ok
--          stale                Somebody else has decided them, or changed the schedule.
-- Emits    schedule_missed
-- full: runs
-- include: schedule

local row = redis.call('HMGET', key.schedule(schedule_id), 'revision', 'from', 'paused')
if row[1] ~= revision or row[2] ~= from or row[3] == '1' then return { 'stale' } end
if tonumber(until_ms) > tonumber(from) then redis.call('HSET', key.schedule(schedule_id), 'from', until_ms) end
if next_ms == '' then
  redis.call('ZREM', key.schedules_due, schedule_id)
else
  redis.call('ZADD', key.schedules_due, next_ms, schedule_id)
end
if missed ~= '0' then
  redis.call('HINCRBY', key.schedule(schedule_id), 'missed', missed)
  tell_schedule_missed(schedule_id, 'missed', missed)
end
return { 'ok' }
