-- How a task ends.
-- include: queue dead

local function is_ended(status)
  return status ~= 'pending' and status ~= 'scheduled' and status ~= 'running' and status ~= 'waiting'
end

-- A part of a task, which may lie apart from it.
local function part_of_task(id, name)
  return redis.call('HGET', key.task(id), name) or redis.call('HGET', key.task_large(id), name)
end

-- What is of no use once a task has ended: nobody holds it. One that has completed is never tried again.
local USELESS = { claimed = true, deadline = true, lease_ms = true, wait = true, unique = true,
  pushed_till = true, queued_at = true }
local USELESS_IF_COMPLETED = { token = true, rank = true, class = true, counted = true }
-- What lies apart from an ended task where it is not small, so that Redis keeps the task itself in the
-- compact form that it has for hashes of small values.
local LIES_APART = { spec = true, result = true, error = true, content = true, labels = true, usage = true }

-- Rewrites an ended task as what is kept of it. Returns how long it says that it is kept, in
-- milliseconds; nil if it does not say.
local function put_away(task)
  local record = key.task(task.id)
  local row = redis.call('HGETALL', record)
  local small, large, keeps = { 'completed_at', now }, {}, ''
  local bytes = (task.bytes or 0) + (task.result_bytes or 0)
  if task.attempt then bytes = bytes + redis.call('HSTRLEN', key.task_large(task.id), 'attempts') end
  if task.error_key then small[3], small[4] = 'error_key', task.error_key end
  local has_completed = task.status == 'completed'
  for i = 1, #row, 2 do
    local name, value = row[i], row[i + 1]
    if name == 'used' then name, value = 'tried', spent_in_try(value, task.token) end
    local lies_apart = #value > SMALL_VALUE_BYTES and LIES_APART[name]
    local into = lies_apart and large or small
    if name == 'keep' then keeps = value end
    if lies_apart then bytes = bytes + #value end
    if not USELESS[name] and not (has_completed and USELESS_IF_COMPLETED[name]) and name ~= 'bytes' then
      into[#into + 1], into[#into + 2] = name, value
    end
  end
  redis.call('DEL', record)
  redis.call('HSET', record, 'bytes', bytes, unpack(small))
  if large[1] then redis.call('HSET', key.task_large(task.id), unpack(large)) end
  redis.call('HINCRBY', key.cluster, 'ended_bytes', bytes)
  local if_completed, if_not = string.match(keeps, '^(%d*)/(%d*)$')
  return tonumber(has_completed and if_completed or if_not)
end

-- Whether others are to hear of a task's end: what follows it, its group, or a group that it has made.
-- They do in a step of its own (task/release), which the monitor repeats until it is done.
local function is_in_flow(task)
  return task.followed or task.group or task.children
end

-- Whether others have yet to hear of an ended task's end.
local function is_untold(task)
  if not is_in_flow(task) then return false end
  local told = task.id .. '/' .. task.status
  return redis.call('ZSCORE', key.releasing, 't/' .. told) or redis.call('ZSCORE', key.releasing, 'n/' .. told)
end

-- Forgets what only an unfinished task has: what its last holder has left, and signals.
local function drop_left(task, to)
  local bytes = redis.call('HSTRLEN', key.task_large(task.id), 'checkpoint')
  for _, packed in ipairs(redis.call('LRANGE', key.task_signals(task.id), 0, -1)) do
    bytes = bytes + #packed
  end
  recount(task, -bytes)
  redis.call('HDEL', key.task_large(task.id), 'checkpoint', 'resume',
    unpack(to == 'completed' and { 'asks', 'asks_id' } or {}))
  redis.call('DEL', key.task_signals(task.id))
end

-- Gives back the key of which it was the only one.
local function free_unique(task)
  local record = key.unique(task.unique)
  if string.match(redis.call('GET', record) or '', '/(.*)$') == task.id then redis.call('DEL', record) end
end

-- Ends a task for good. Those that went wrong are dead letters; a message that waits for the
-- outcome is told, and what was reserved for the task is paid or released, in a step of its own, which
-- the monitor repeats until it is done.
local function end_task(task, to, reason)
  if to == 'failed' or to == 'timeout' then
    note_death(task)
    count_event('d', 1)
    -- Its schedule learns it here: the task may be forgotten before the next run comes due.
    local schedule = redis.call('HGET', key.task(task.id), 'schedule')
    if schedule and redis.call('EXISTS', key.schedule(schedule)) == 1 then
      redis.call('HSET', key.schedule(schedule), 'failed', task.id)
    end
  end
  if to == 'cancelled' then count_event('x', 1) end
  if task.message ~= '' or task.charge then redis.call('ZADD', key.unsettled_tasks, clock, task.id) end
  if task.message ~= '' then redis.call('ZREM', key.unfinished_in_session(task.session), task.id) end
  if task.waits then drop_left(task, to) end
  if task.unique then free_unique(task) end
  count_unfinished(task, -1)
  move_task(task, to, reason)
  local kept_ms = put_away(task)
  if kept_ms then
    redis.call('ZADD', key.kept_tasks, now + kept_ms, task.id)
  else
    redis.call('ZADD', key.ended_tasks, now, task.id)
  end
  if is_in_flow(task) then
    redis.call('ZADD', key.releasing, clock, 't/' .. task.id .. '/' .. to)
  end
end
