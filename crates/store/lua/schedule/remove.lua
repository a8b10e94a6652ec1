-- Removes a schedule; the tasks that it has submitted stay.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          schedule_id: ScheduleId  Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Changed:
--          ok                   Done.
--          not_found            There is none.
--          forbidden            It is somebody else's.
-- Emits    schedule_removed
-- full: runs
-- include: records once schedule audit

local function run()
  local owner = redis.call('HGET', key.schedule(schedule_id), 'owner')
  if not owner then return { 'not_found' } end
  if is_foreign(owner, writer) then return { 'forbidden' } end
  local before = facts_of(key.schedule(schedule_id), 'spec j overlap t catch_up j pause_on_failure f paused f note t task j')
  redis.call('DEL', key.schedule(schedule_id), key.schedule_runs(schedule_id))
  redis.call('ZREM', key.schedules, schedule_id)
  redis.call('ZREM', key.schedules_by_owner(owner), schedule_id)
  redis.call('ZREM', key.schedules_due, schedule_id)
  tell_schedule_changed('schedule_removed', schedule_id)
  audit('schedule.remove', schedule_id, before)
  keep_clock()
  return { 'ok' }
end

return once(run)
