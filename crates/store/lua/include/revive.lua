-- Bringing ended tasks back.
-- include: queue

-- Why a task cannot be tried again; nil if it can. The message of a session task is complete once
-- the task has ended, so that nothing could be written to it.
local function revival_refusal(task)
  if task.status == 'pending' or task.status == 'scheduled' then
    if redis.call('ZSCORE', key.delayed_tasks, task.id) then return nil end
    return 'state'
  end
  if task.status == 'running' or task.status == 'completed' then return 'state' end
  if task.message ~= '' then return 'settled' end
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
  redis.call('DEL', large)
  redis.call('HDEL', key.task(task.id), 'bytes')
  if spec then redis.call('HSET', key.task(task.id), 'spec', spec) end
end

local function revive(task, reason)
  local had_ended = redis.call('ZREM', key.ended_tasks, task.id)
    + redis.call('ZREM', key.kept_tasks, task.id)
  if had_ended > 0 then
    count_unfinished(task, 1)
    bring_back(task)
  end
  redis.call('ZREM', key.delayed_tasks, task.id)
  redis.call('ZREM', key.dead_tasks, task.id)
  if task.node ~= '' then redis.call('ZREM', key.tasks_by_node(task.node), task.id) end
  task.node = ''
  redis.call('HSET', key.task(task.id), 'retry_count', 0, 'progress', 0, 'assigned_node', '')
  redis.call('HDEL', key.task(task.id), 'error', 'result', 'completed_at', 'started_at',
    'scheduled_at', 'token')
  enqueue(task)
  move_task(task, 'pending', reason)
end
