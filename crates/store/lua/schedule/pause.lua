-- Pauses or resumes a schedule. What came due meanwhile is not made up for.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          schedule_id: ScheduleId  Which.
--          writer: Writer<'a>   Who asks.
--          paused: flag         Whether no run comes due.
--          note: text?          For people; none: as it is.
-- Returns  SchedulePaused:
--          ok(schedule: Box<Schedule>)
--          not_found            There is none.
--          forbidden            It is somebody else's.
-- Emits    schedule_paused · schedule_resumed
-- full: runs
-- include: records once schedule audit

local function run()
  local row = redis.call('HMGET', key.schedule(schedule_id), 'owner', 'paused', 'from')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[1], writer) then return { 'forbidden' } end
  if note ~= '' then redis.call('HSET', key.schedule(schedule_id), 'note', note, 'updated_at', now) end
  if paused ~= row[2] or (paused == '0' and is_ahead(row[3])) then
    redis.call('HSET', key.schedule(schedule_id), 'paused', paused, 'updated_at', now)
    redis.call('HINCRBY', key.schedule(schedule_id), 'revision', 1)
    if paused == '0' then begin_now(schedule_id) end
    look_at(schedule_id, paused == '1')
    tell_schedule_changed(paused == '1' and 'schedule_paused' or 'schedule_resumed', schedule_id)
  end
  audit(paused == '1' and 'schedule.pause' or 'schedule.resume', schedule_id,
    facts('paused', { row[2] == '1' and 'true' or 'false' }),
    facts('paused', { paused == '1' and 'true' or 'false' }, 'note', note))
  keep_clock()
  local reply = { 'ok' }
  append_schedule(reply, schedule_id)
  return reply
end

return once(run)
