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

local function revive(task, reason)
  if redis.call('ZREM', key.ended_tasks, task.id) == 1 then count_unfinished(task, 1) end
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
