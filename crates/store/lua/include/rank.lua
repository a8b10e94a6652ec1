-- Places in the queue that change.
-- include: queue

-- Gives a task another priority. Its place is that of a task of that priority that was submitted when it
-- was. It is in no class meanwhile.
local function set_priority(task, priority)
  local was = tonumber(redis.call('HGET', key.task(task.id), 'priority'))
  task.rank = string.format('%.0f', task.rank + 600e6 * (priority - was))
  redis.call('HSET', key.task(task.id), 'priority', priority, 'rank', task.rank)
end

-- The same for a task wherever it waits.
local function move_rank(task, priority)
  if task.status == 'waiting' then return set_priority(task, priority) end
  local due = redis.call('ZSCORE', key.delayed_tasks, task.id)
  dequeue(task)
  set_priority(task, priority)
  if due then
    redis.call('ZADD', key.delayed_tasks, due, task.id)
  else
    enqueue(task)
  end
end
