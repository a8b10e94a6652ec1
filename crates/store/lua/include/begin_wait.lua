-- How a wait begins.
-- include: wait

-- Hubs before this version know nothing of tasks that wait, and would hand them out.
local function raise_schema()
  if (tonumber(redis.call('GET', key.schema)) or 0) < SCHEMA then
    redis.call('SET', key.schema, SCHEMA)
  end
end

-- Begins a wait of a task that is not in the queue and not held; `asker` is whose node has asked for it.
-- The oldest of a task's waits is forgotten where it has had many.
local function begin_wait(task, id, asker, wait)
  local number = redis.call('HINCRBY', key.cluster, 'waits', 1)
  local record, history = key.wait(id), key.task_waits(task.id)
  redis.call('HSET', record, 'task', task.id, 'kind', wait.kind, 'state', 'open', 'owner',
    task.owner, 'asker', asker, 'name', wait.name, 'need', wait.need, 'by_other', wait.by_other,
    'on_expire', wait.on_expire, 'options', wait.options, 'assignees', wait.assignees, 'details',
    wait.details, 'asked_at', now, 'answers', '')
  redis.call('ZADD', key.open_waits, number, id)
  redis.call('ZADD', key.waits_of(task.owner), number, id)
  for _, agent in ipairs(cjson.decode(wait.assignees)) do
    redis.call('ZADD', key.waits_of(agent), number, id)
  end
  if wait.unmet then redis.call('HSET', record, 'unmet', wait.unmet) end
  if wait.due_ms then
    redis.call('HSET', record, 'expires_at', now + wait.due_ms)
    redis.call('ZADD', key.due_waits, clock + wait.due_ms, id)
  end
  if redis.call('RPUSH', history, id) > TASK_WAITS_KEPT then
    redis.call('DEL', key.wait(redis.call('LPOP', history)))
  end
  task.wait = id
  redis.call('HSET', key.task(task.id), 'wait', id, 'waits', (task.waits or 0) + 1, 'assigned_node', '')
  raise_schema()
end

-- Asks for the approval that a task needs before it begins; false if it needs none. It is asked for again
-- whenever the task is tried again after its end.
local function ask_first(task)
  local asked = redis.call('HMGET', key.task_large(task.id), 'asks', 'asks_id')
  if not asked[1] then return false end
  local id = (task.waits or 0) > 0 and asked[2] .. '.' .. task.waits or asked[2]
  begin_wait(task, id, '', cjson.decode(asked[1]))
  return true
end
