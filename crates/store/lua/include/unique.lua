-- Tasks of which there is to be one: a key says which of them it is (contract.md §5).
-- include: take

-- The task that holds a key. One that is gone, or further than it says that it holds it, does not.
local function holder_of(unique)
  local span, id = string.match(redis.call('GET', key.unique(unique.digest)) or '', '^(%a+)/(.*)$')
  local task = id and read_task(id)
  if not task or (span ~= 'ttl' and is_ended(task.status))
    or (span == 'waiting' and task.status == 'running') then
    return nil
  end
  return task
end

-- Gives a task the key, for as long as it asks.
local function hold_unique(unique, task)
  local record = key.unique(unique.digest)
  redis.call('SET', record, unique.span .. '/' .. task.id)
  if unique.span == 'ttl' then
    redis.call('PEXPIRE', record, unique.ms)
  else
    redis.call('HSET', key.task(task.id), 'unique', unique.digest)
  end
  if unique.on == 'debounce' then
    redis.call('HSET', key.task(task.id), 'pushed_till', clock + unique.most)
  end
end

-- Keeps a task back for longer, but never beyond what the first submission has said.
local function push(task, ms)
  local till = tonumber(redis.call('HGET', key.task(task.id), 'pushed_till'))
  if task.status ~= 'scheduled' or not till then return end
  local due = math.min(clock + ms, till)
  redis.call('ZADD', key.delayed_tasks, due, task.id)
  redis.call('HSET', key.task(task.id), 'scheduled_at', string.format('%.0f', now + due - clock))
end

-- What a task comes after that takes the place of another: the one that runs, or the one that the other waits
-- for, as it does for itself.
local function predecessor_of(holder)
  if holder.status == 'running' then return holder.id end
  local before = redis.call('HGET', key.task(holder.id), 'succeeds')
  local status = before and redis.call('HGET', key.task(before), 'status')
  return status and not is_ended(status) and before or nil
end

-- Lets nobody have a task any more that waits, since another takes its place. It ends with the next step
-- (task/release).
local function give_way(holder)
  if holder.status == 'waiting' then
    redis.call('DEL', key.task_after(holder.id))
    if holder.wait then redis.call('HSET', key.wait(holder.wait), 'state', 'cancelled') end
  else
    dequeue(holder)
    move_task(holder, 'waiting', 'replaced')
  end
  redis.call('ZADD', key.releasing, clock, 'r/' .. holder.id .. '/replaced')
end

-- Lets a task that was noted wait for those that it follows, for its time, or for a node. It asks for no approval
-- and joins no group. Whether something is left to do (task/release).
local function begin_unique(task, given)
  local unmet, failed = attach(task.id, given.edges or {}, task.id)
  local delay_ms, reason = tonumber(given.delay_ms), 'submitted'
  if given.edges then
    redis.call('HSET', key.task(task.id), 'unmet', failed and unmet + 1 or unmet)
    raise_schema()
  end
  if unmet > 0 or failed then
    task.status, reason = 'waiting', 'dependencies'
  elseif delay_ms > 0 then
    task.status = 'scheduled'
    redis.call('ZADD', key.delayed_tasks, clock + delay_ms, task.id)
    redis.call('HSET', key.task(task.id), 'scheduled_at', now + delay_ms)
  else
    enqueue(task)
  end
  redis.call('HSET', key.task(task.id), 'status', task.status)
  index_task(task)
  announce_task(task, nil, reason)
  if failed then redis.call('ZADD', key.releasing, clock, 'd/' .. task.id .. '/' .. failed) end
  return failed
end
