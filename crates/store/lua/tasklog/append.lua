-- Appends lines to a task's log, and lets go of the oldest where there are too many. That the claim holds
-- the task was checked (task/may_log). What an older claim says after a newer one is refused.
--
-- A claim numbers its lines: what it has said already is not said again. Numbers may be left out.
--
-- KEYS[1]  the tasklog partition
-- ARGV     once
--          task_id: TaskId      Of which task.
--          version: text        Which task of this id it is.
--          claim: int           The claim's number.
--          attempt: int         Which try it is.
--          seq: int?            The first line's number; none: the next one.
--          lines: &'a [LogLine]*  The lines.
-- Returns  Logged:
--          ok(cursor: text, dropped: int)
--                               The last line's id, and how many older lines gave way.
--          superseded           A later claim has written to it.
-- include: expiring once

-- Arguments that a line is.
local LINE_ARGUMENTS = 4

local function size_of(text)
  return #text + LOG_LINE_BYTES
end

-- Lets go of the oldest lines. Reads about as many at once as have come.
local function trim(log, state, count)
  local kept, dropped = redis.call('XLEN', log), 0
  while kept > LOG_LINES_MAX or state.bytes > LOG_BYTES_MAX do
    local gone = 0
    for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', count)) do
      if kept - gone <= LOG_LINES_MAX and state.bytes <= LOG_BYTES_MAX then break end
      gone, state.trimmed = gone + 1, entry[1]
      state.bytes = state.bytes - size_of(entry[2][10])
    end
    redis.call('XTRIM', log, 'MAXLEN', kept - gone)
    kept, dropped = kept - gone, dropped + gone
    if gone == 0 then break end
  end
  return dropped
end

local function run()
  local log, record = key.tasklog(task_id), key.tasklog_state(task_id)
  local row = redis.call('HMGET', record, 'version', 'claim', 'next', 'bytes', 'trimmed', 'last')
  local known = tonumber(row[2] or nil) or 0
  if tonumber(claim) < known then return { 'superseded' } end
  if row[1] and row[1] ~= version then
    -- Of a task of the same id that is gone.
    redis.call('DEL', log, record)
    row = {}
  end
  local following = tonumber(claim) == known and tonumber(row[3] or nil) or 0
  local number = tonumber(seq) or following
  local state = { bytes = tonumber(row[4] or nil) or 0, trimmed = row[5] or '', last = row[6] or '0-0' }
  local count = 0
  for first = lines, #ARGV, LINE_ARGUMENTS do
    if number >= following then
      local at, level, stream, text = unpack(ARGV, first, first + LINE_ARGUMENTS - 1)
      state.last = redis.call('XADD', log, '*', 'attempt', attempt, 'at', at ~= '' and at or now,
        'level', level, 'stream', stream, 'text', text)
      state.bytes = state.bytes + size_of(text)
      count = count + 1
      following = number + 1
    end
    number = number + 1
  end
  if count == 0 then return { 'ok', state.last, 0 } end
  local dropped = trim(log, state, count)
  redis.call('HSET', record, 'version', version, 'claim', claim, 'next', following,
    'bytes', state.bytes, 'trimmed', state.trimmed, 'last', state.last)
  redis.call('PEXPIRE', log, LOG_KEPT_MS)
  redis.call('PEXPIRE', record, LOG_KEPT_MS)
  redis.call('PUBLISH', key.live_tasklog(task_id), '0-0 lines {}')
  return { 'ok', state.last, dropped }
end

return once(run)
