-- Makes a schedule, or sets what it is anew. What is due stays due, unless it is said anew when that is.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          schedule_id: ScheduleId  Which.
--          owner: text          Who asks: a new one's owner.
--          writer: Writer<'a>   Who asks.
--          spec: text           JSON: when runs come due.
--          task: &'a Json       What each submits.
--          overlap: text        What happens while the one before has not ended.
--          catch_up: text       JSON: which late ones are made up for.
--          pause_on_failure: flag  A failed run pauses it.
--          paused: text         `1`, `0`, or as it is.
--          note: text           For people.
--          most: int?           Most schedules of the owner.
-- Returns  SchedulePut:
--          ok(schedule: Box<Schedule>)
--          forbidden            It is somebody else's.
--          too_many             There are as many as there may be.
-- Emits    schedule_set
-- include: records once schedule quota audit

local FACTS = 'spec j overlap t catch_up j pause_on_failure f paused f note t task j'

-- Notes a new one; nil, or why there is none.
local function make()
  local number = redis.call('ZCARD', key.schedules)
  if number >= SCHEDULES_MAX then return { 'too_many' } end
  local list = key.schedules_by_owner(owner)
  local refused = over_quota('quota_schedules', most, redis.call('ZCARD', list), 1)
  if refused then return refused end
  number = redis.call('HINCRBY', key.cluster, 'schedules', 1)
  redis.call('ZADD', key.schedules, number, schedule_id)
  redis.call('ZADD', list, number, schedule_id)
  redis.call('HSET', key.schedule(schedule_id), 'number', number, 'owner', owner, 'created_at', now,
    'started', 0, 'skipped', 0, 'missed', 0, 'refused', 0)
end

local function run()
  local row = redis.call('HMGET', key.schedule(schedule_id), 'owner', 'spec', 'paused', 'from')
  if row[1] and is_foreign(row[1], writer) then return { 'forbidden' } end
  if not row[1] then
    local refused = make()
    if refused then return refused end
  end
  local before = row[1] and facts_of(key.schedule(schedule_id), FACTS)
  local is_paused = paused
  if paused == '' then is_paused = row[3] or '0' end
  local is_resumed = is_paused == '0' and row[3] == '1'
  if spec ~= row[2] or is_resumed or is_ahead(row[4]) then begin_now(schedule_id) end
  redis.call('HSET', key.schedule(schedule_id), 'spec', spec, 'task', task, 'overlap', overlap, 'catch_up',
    catch_up, 'pause_on_failure', pause_on_failure, 'paused', is_paused, 'note', note, 'updated_at', now)
  redis.call('HINCRBY', key.schedule(schedule_id), 'revision', 1)
  look_at(schedule_id, is_paused == '1')
  tell_schedule_changed('schedule_set', schedule_id)
  audit('schedule.set', schedule_id, before, facts_of(key.schedule(schedule_id), FACTS))
  keep_clock()
  local reply = { 'ok' }
  append_schedule(reply, schedule_id)
  return reply
end

return once(run, function(reply) return reply[1] == 'ok' end)
