-- Flows: what becomes of those that follow what has ended (contract.md §5).
-- include: ending follow group begin_wait

-- Whether what a task follows has ended otherwise than it asks. Where that was tried again since, it has
-- not.
local function is_doomed(task, what)
  local on, status = string.match(redis.call('HGET', key.task_after(task.id), what) or '',
    '^=(%a+)/(%a+)$')
  return on and not meets(status, on)
end

-- Ends a task since what it follows ended otherwise than it asks.
local function fail_follower(task, what)
  redis.call('HSET', key.task(task.id), 'error', 'What it follows ended otherwise: '
    .. string.gsub(what, '^group:', 'the group ') .. '.')
  end_task(task, 'failed', 'dependency')
end

-- A task has all that it follows: it waits for a node, or for its approval.
local function let_go(task)
  if ask_first(task) then
    move_task(task, 'waiting', 'approval')
  else
    enqueue(task)
    move_task(task, 'pending', 'ready')
  end
end

-- Something that a wait is for has ended; `name` says what it waits for: `ended` (all of it), `completed`
-- (all of it, or a first bad end), or `any`.
local function hear(wait_id, what, status, only_failing)
  local wait = read_wait(wait_id)
  local task = wait and wait.state == 'open' and read_task(wait.task)
  if not task or task.status ~= 'waiting' then return end
  local unmet = wait.unmet
  if not only_failing then
    local on = redis.call('HGET', key.task_after(wait_id), what)
    if not on or string.sub(on, 1, 1) == '=' then return end
    redis.call('HSET', key.task_after(wait_id), what, '=' .. on .. '/' .. status)
    unmet = redis.call('HINCRBY', key.wait(wait_id), 'unmet', -1)
  end
  if unmet > 0 and wait.name ~= 'any' and (wait.name == 'ended' or status == 'completed') then return end
  local resume = resume_of_tasks(wait_id)
  close_wait(wait, 'answered')
  wake(task, resume, 'tasks')
end

-- Tells whoever follows something that it has ended.
local function follow(entry, what, status, only_failing)
  if string.sub(entry, 1, 1) == ':' then
    return hear(string.sub(entry, 2), what, status, only_failing)
  end
  local on = redis.call('HGET', key.task_after(entry), what)
  if not on or string.sub(on, 1, 1) == '=' then return end
  redis.call('HSET', key.task_after(entry), what, '=' .. on .. '/' .. status)
  local task = read_task(entry)
  if not task or task.status ~= 'waiting' then return end
  local unmet = redis.call('HINCRBY', key.task(entry), 'unmet', -1)
  if not meets(status, on) then
    fail_follower(task, what)
  elseif unmet == 0 then
    let_go(task)
  end
end

-- Counts an end for a task's group.
local function leave_group(id, group, to)
  redis.call('HINCRBY', key.group(group), to, 1)
  local open = redis.call('HINCRBY', key.group(group), 'open', -1)
  local is_bad = to == 'failed' or to == 'timeout'
  if is_bad and redis.call('HSETNX', key.group(group), 'first_failure', id) == 1 then
    tell_group_failing(group, id)
    if redis.call('EXISTS', key.group_watchers(group)) == 1 then
      redis.call('ZADD', key.releasing, clock, 'f/' .. group .. '/failed')
    end
  end
  if open == 0 and redis.call('HGET', key.group(group), 'sealed') == '1' then end_group(group) end
end

-- The groups that hear of a task's end: its own, and one that it has made. Then only what follows it is
-- left to hear.
local function leave_groups(entry, id, status)
  local row = redis.call('HMGET', key.task(id), 'group', 'children')
  if row[1] then leave_group(id, row[1], status) end
  if row[2] then seal_group(row[2]) end
  redis.call('ZREM', key.releasing, entry)
  redis.call('ZADD', key.releasing, clock, 'n/' .. id .. '/' .. status)
end

-- Lets at most so many go that follow what has ended. Returns whether there may be more.
local function release_some(most)
  local left = most
  while left > 0 do
    local entry = redis.call('ZRANGE', key.releasing, 0, 0)[1]
    if not entry then return false end
    local kind, id, status = string.match(entry, '^(%a)/(.*)/([^/]*)$')
    if kind == 't' then
      leave_groups(entry, id, status)
    elseif kind == 'r' then
      redis.call('ZREM', key.releasing, entry)
      local task = read_task(id)
      if task and task.status == 'waiting' then
        stop_waiting(task)
        end_task(task, 'cancelled', status)
      end
    elseif kind == 'd' then
      redis.call('ZREM', key.releasing, entry)
      local task = read_task(id)
      if task and task.status == 'waiting' and is_doomed(task, status) then fail_follower(task, status) end
    else
      local set = kind == 'n' and key.task_next(id) or kind == 'g' and key.group_next(id)
        or key.group_watchers(id)
      local entries = redis.call('SPOP', set, left)
      for _, follower in ipairs(entries) do
        follow(follower, kind == 'n' and id or 'group:' .. id, status, kind == 'f')
      end
      if #entries < left then redis.call('ZREM', key.releasing, entry) end
      left = left - #entries
    end
    left = left - 1
  end
  return redis.call('EXISTS', key.releasing) == 1
end
