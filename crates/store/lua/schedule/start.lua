-- Begins a run of a schedule: submits its task, unless the run before has not ended and the schedule says
-- that this one has to wait, or is left out. Whoever begins a run that has begun finds it so.
--
-- KEYS[1]  the cluster partition
-- Call     Start
-- ARGV     once
--          audit
--          schedule_id: ScheduleId  Which.
--          revision: int        That was looked at.
--          writer: Writer<'a>   Who asks.
--          cause: text          `time`, `trigger` or `backfill`.
--          due_ms: int?         When the run came due; none: now.
--          from: int?           Until when those before it were decided, where its time has come.
--          overlap: text        What happens while the one before has not ended.
--          missed: int          Runs before it that nobody makes up for.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          task: &'a [GivenTask<'a>]*  The task.
-- Returns  RunStarted:
--          ok(due_at: UnixMillis, at: UnixMillis, doomed: flag, task_id: TaskId)
--                               It began. What it follows has ended: [`Release`](crate::task::Release).
--          skipped(TaskId)      The run before has not ended.
--          refused(text)        The queue does not take its task, and why.
--          exists               It has begun before.
--          stale                Somebody else has decided it, or changed the schedule.
--          paused               A failed run has paused the schedule.
--          cancel(TaskId)       First cancel the run before: [`Cancel`](crate::task::Cancel).
--          not_found            There is no such schedule.
--          forbidden            It is somebody else's.
-- Emits    schedule_paused · schedule_missed · task_pending · task_scheduled · task_waiting
-- include: records once take schedule audit

-- Notes what became of the run; what did not come of one that somebody asked for, its answer says.
local function note_run(outcome, rest)
  if outcome ~= 'started' and cause ~= 'time' then return end
  local list = key.schedule_runs(schedule_id)
  redis.call('HINCRBY', key.schedule(schedule_id), outcome, 1)
  redis.call('LPUSH', list, table.concat({ due_ms, now, cause, outcome, rest }, '\n'))
  redis.call('LTRIM', list, 0, SCHEDULE_RUNS_KEPT - 1)
  if outcome ~= 'started' then tell_schedule_missed(schedule_id, outcome, 1) end
end

-- What the queue says to a task that it does not take.
local function reason_of(refused)
  if refused[1] == 'quota' then return 'The quota ' .. refused[2] .. ' of its owner is used up.' end
  if refused[1] == 'exhausted' then return 'The budget of ' .. refused[2] .. ' is used up.' end
  if refused[1] == 'unknown' then return 'There is no ' .. string.gsub(refused[2], ':', ' ') .. '.' end
  return 'Too many different sets of skills wait.'
end

-- Puts the task of the run into the queue; nil, and what the queue says if it does not take it.
local function submit(of, given)
  local refused, usage = refusal(of, 1, #given.spec + #given.wants + #given.approval)
  local unknown = unknown_limit_of(given)
  refused = refused or (unknown and { 'unknown', unknown }) or exhausted(of, given, usage)
  if refused then return nil, refused end
  local chosen, crowded = choose_class(of, given, tonumber(usage[1] or 0))
  if not chosen then return nil, crowded end
  if classes_max ~= '' and usage[4] ~= classes_max then
    redis.call('HSET', key.usage(of.owner), 'classes_max', classes_max)
  end
  local taken = write_task(of, given, 'pending', chosen)
  return taken, begin(taken, given)
end

-- The unfinished run before this one; nil if there is none.
local function unfinished(last)
  local status = last and redis.call('HGET', key.task(last), 'status')
  return status and not is_ended(status) and last or nil
end

local function run()
  local row = redis.call('HMGET', key.schedule(schedule_id), 'owner', 'revision', 'paused', 'from', 'last',
    'buffered', 'pause_on_failure', 'failed')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[1], writer) then return { 'forbidden' } end
  if due_ms == '' then due_ms = now end
  local given = read_given(task, '')
  if cause == 'time' then
    if row[2] ~= revision or row[3] == '1' or row[4] ~= from then return { 'stale' } end
    local failed = row[7] == '1' and row[8]
    if failed then
      redis.call('HSET', key.schedule(schedule_id), 'paused', 1, 'note', 'The run ' .. failed .. ' failed.',
        'updated_at', now)
      redis.call('HINCRBY', key.schedule(schedule_id), 'revision', 1)
      look_at(schedule_id, true)
      tell_schedule_changed('schedule_paused', schedule_id)
      return { 'paused' }
    end
  end
  local exists = redis.call('EXISTS', key.task(given.task_id)) == 1
  local before = not exists and overlap ~= 'allow' and unfinished(row[5])
  if before and overlap == 'cancel' then return { 'cancel', before } end
  if cause == 'time' then
    redis.call('HSET', key.schedule(schedule_id), 'from', due_ms)
    if missed ~= '0' then
      redis.call('HINCRBY', key.schedule(schedule_id), 'missed', missed)
      tell_schedule_missed(schedule_id, 'missed', missed)
    end
  end
  if exists then return { 'exists' } end
  -- It waits for the one before, and not for something of its own.
  local waits = row[6] and redis.call('HMGET', key.task(row[6]), 'status', 'unmet') or {}
  local has_buffered = waits[1] == 'waiting' and tonumber(waits[2] or 0) > 0
  if before and (overlap == 'skip' or has_buffered) then
    note_run('skipped', before)
    return { 'skipped', before }
  end
  if before then given.edges = { { before, 'ended' } } end
  local of = { owner = row[1], preferring_max = preferring_max, tasks_max = tasks_max,
    bytes_max = bytes_max, classes_max = classes_max }
  local taken, said = submit(of, given)
  if not taken then
    local reason = reason_of(said)
    note_run('refused', reason)
    return { 'refused', reason }
  end
  -- Nothing has to wait for a run of the past, or is paused by it.
  if cause ~= 'backfill' then
    redis.call('HSET', key.schedule(schedule_id), 'last', given.task_id)
    redis.call('HSET', key.task(given.task_id), 'schedule', schedule_id)
  end
  if before then redis.call('HSET', key.schedule(schedule_id), 'buffered', given.task_id) end
  note_run('started', given.task_id)
  if cause ~= 'time' then
    audit('schedule.' .. cause, schedule_id, nil, facts('task_id', given.task_id, 'due_at', tonumber(due_ms)))
  end
  keep_clock()
  return { 'ok', due_ms, now, said and 1 or 0, given.task_id }
end

return once(run, function(reply) return reply[1] == 'ok' end)
