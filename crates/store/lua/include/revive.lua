-- Bringing ended tasks back.
-- include: ending follow begin_wait

-- How what was followed has ended that was gone before its end was heard of.
local GONE = 'unknown'

-- Why a task cannot be tried again; nil if it can. The message of a session task is complete once
-- the task has ended, so that nothing could be written to it.
local function revival_refusal(task)
  if task.status == 'pending' or task.status == 'scheduled' then
    if redis.call('ZSCORE', key.delayed_tasks, task.id) then return nil end
    return 'state'
  end
  if task.status == 'running' or task.status == 'waiting' or task.status == 'completed' then
    return 'state'
  end
  if task.message ~= '' then return 'settled' end
  if task.charge then return 'priced' end
  if task.unmet then
    local row = redis.call('HGETALL', key.task_after(task.id))
    for i = 1, #row, 2 do
      local status = standing_of(row[i]) or string.match(row[i + 1], '/(%a+)$')
      if status == GONE then status = nil end
      local on = string.match(row[i + 1], '%a+')
      if status and has_ended(row[i], status) and not meets(status, on) then return 'dependency' end
    end
  end
end

-- Lets a task that is tried again follow what it followed, as far as that is unfinished again. Of how
-- many the end is to come.
local function follow_again(task)
  local row, pairs_of = redis.call('HGETALL', key.task_after(task.id)), {}
  for i = 1, #row, 2 do
    local on = string.match(row[i + 1], '%a+')
    if standing_of(row[i]) then
      pairs_of[#pairs_of + 1] = { row[i], on }
    elseif string.sub(row[i + 1], 1, 1) ~= '=' then
      -- It is not waited for, also where its end is still to be told.
      redis.call('HSET', key.task_after(task.id), row[i], '=' .. on .. '/' .. GONE)
    end
  end
  local unmet = attach(task.id, pairs_of, task.id)
  redis.call('HSET', key.task(task.id), 'unmet', unmet)
  return unmet
end

-- A task that is tried again is unfinished in its group, too.
local function rejoin_group(task)
  local group = key.group(task.group)
  redis.call('HINCRBY', group, task.status, -1)
  redis.call('HINCRBY', group, 'open', 1)
  redis.call('ZREM', key.releasing, 'g/' .. task.group .. '/' .. redis.call('HGET', group, 'status'))
  redis.call('HSET', group, 'status', 'open')
  redis.call('HDEL', group, 'ended_at')
  if redis.call('HGET', group, 'first_failure') == task.id then
    redis.call('HDEL', group, 'first_failure')
  end
end

-- What lies apart of an ended task lies with it again; parameters that are large stay where they are.
local function bring_back(task)
  if task.bytes then redis.call('HINCRBY', key.cluster, 'ended_bytes', -task.bytes) end
  local large, spec = key.task_large(task.id), redis.call('HGET', key.task_large(task.id), 'spec')
  if spec and #spec > LARGE_SPEC_BYTES then
    redis.call('HDEL', large, 'error', 'result', 'content')
    redis.call('HSET', key.task(task.id), 'bytes', #spec)
    return
  end
  for _, part in ipairs({ 'labels', 'usage' }) do
    local value = redis.call('HGET', large, part)
    if value then redis.call('HSET', key.task(task.id), part, value) end
  end
  redis.call('HDEL', large, 'spec', 'error', 'result', 'content', 'labels', 'usage')
  redis.call('HDEL', key.task(task.id), 'bytes')
  if spec then redis.call('HSET', key.task(task.id), 'spec', spec) end
end

local function revive(task, reason)
  local had_ended = redis.call('ZREM', key.ended_tasks, task.id)
    + redis.call('ZREM', key.kept_tasks, task.id)
  if had_ended > 0 then
    count_unfinished(task, 1)
    if task.node ~= '' then
      local row = redis.call('HMGET', key.task(task.id), 'completed_at', 'tried')
      -- The error of a task that was cancelled is of a try before.
      local error = task.status ~= 'cancelled' and part_of_task(task.id, 'error')
      keep_attempt(task, task.status, tonumber(row[1]), error, row[2] or '')
    end
    bring_back(task)
    -- What has not heard of its end waits for the next one.
    local had_not_told = redis.call('ZREM', key.releasing, 't/' .. task.id .. '/' .. task.status) == 1
    redis.call('ZREM', key.releasing, 'n/' .. task.id .. '/' .. task.status)
    if task.group and not had_not_told then rejoin_group(task) end
  end
  redis.call('ZREM', key.delayed_tasks, task.id)
  unlist_death(task)
  if task.node ~= '' then redis.call('ZREM', key.tasks_by_node(task.node), task.id) end
  task.node = ''
  redis.call('HSET', key.task(task.id), 'retry_count', 0, 'progress', 0, 'assigned_node', '')
  redis.call('HDEL', key.task(task.id), 'error', 'result', 'completed_at', 'started_at',
    'scheduled_at', 'token', 'snoozes', 'tried', 'error_key')
  if had_ended > 0 and task.unmet and follow_again(task) > 0 then
    move_task(task, 'waiting', 'dependencies')
  elseif had_ended > 0 and ask_first(task) then
    move_task(task, 'waiting', 'approval')
  else
    enqueue(task)
    move_task(task, 'pending', reason)
  end
end
