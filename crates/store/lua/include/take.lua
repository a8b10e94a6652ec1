-- Taking a task that is submitted.
-- include: words quota claim routable follow begin_wait fair

-- Arguments that a task is.
local TASK_ARGUMENTS = 18

-- A task that is submitted, from its first argument on; `group` is the one that it joins.
local function read_given(at, group)
  local task_id, delay_ms, spec, wants, class, plain_class, priority, timeout_ms, max_retries,
    user_id, approval, wait_id, edges, name, labels, kind, fields, fair = unpack(ARGV, at, at + TASK_ARGUMENTS - 1)
  -- What begins with `!` follows the group and is none of its tasks.
  local follows_group = string.sub(edges, 1, 1) == '!'
  if follows_group then edges = string.sub(edges, 2) end
  return { task_id = task_id, delay_ms = delay_ms, spec = spec, wants = wants,
    asks = read_wants(wants), class = class, plain_class = plain_class, priority = priority,
    timeout_ms = timeout_ms, max_retries = max_retries, user_id = user_id, session_id = '', message_id = '',
    approval = approval, wait_id = wait_id, name = name, labels = labels, kind = kind, fields = fields, fair = fair,
    edges = edges ~= '' and cjson.decode(edges) or nil,
    group = not follows_group and group ~= '' and group or nil }
end

-- The class to wait in; nil and the answer if there are too many. Each owner has classes of its own,
-- so that nobody's different wishes are counted against, or looked at for, somebody else's.
local function choose_class(of, given, has)
  local full = 'p' .. redis.sha1hex(of.owner .. ' ' .. given.class)
  local plain = 'r' .. redis.sha1hex(of.owner .. ' ' .. given.plain_class)
  if has < tonumber(of.preferring_max) or redis.call('HEXISTS', key.queue_classes, full) == 1 then
    return full
  end
  local refused = over_quota('quota_classes', of.classes_max, has, 1)
  if not refused and has >= CLASSES_MAX then refused = { 'too_many_classes' } end
  if not refused or redis.call('HEXISTS', key.queue_classes, plain) == 1 then return plain end
  return nil, refused
end

-- Why the owner may not have so many more tasks with so many bytes; nil if it may. And what it has.
local function refusal(of, count, bytes)
  local usage = redis.call('HMGET', key.usage(of.owner), 'classes', 'tasks', 'task_bytes', 'classes_max',
    'budgets')
  local refused = over_quota('quota_tasks', of.tasks_max, tonumber(usage[2] or 0), count)
    or over_quota('quota_task_bytes', of.bytes_max, tonumber(usage[3] or 0), bytes)
  return refused, usage
end

-- The answer where a budget is used up that a task is under, and that is there for more than to tell of it;
-- nil if none is. `usage` is the owner's.
local function exhausted(of, given, usage)
  if not usage[5] then return end
  local names = { 'owner/' .. of.owner, 'user/' .. given.user_id, 'group/' .. (given.group or '') }
  for i, period in ipairs(redis.call('HMGET', key.used_up_budgets(of.owner), unpack(names))) do
    if period == 'total' or period and period == string.sub(rfc3339(now), 1, #period) then return { 'exhausted', names[i] } end
  end
end

-- The first of what a task wants to follow that it may not follow; nil if there is none. `earlier` are
-- tasks that are submitted with it, before it.
local function unknown_of(of, edges, earlier)
  for _, edge in ipairs(edges) do
    local status, owner
    if earlier and earlier[edge[1]] then
      status, owner = 'pending', of.owner
    else
      status, owner = standing_of(edge[1])
    end
    if not status or owner ~= of.owner then return edge[1] end
  end
end

-- The first limit that a task is to be under and that is not there; nil if there is none. Hubs before this
-- version of the data hand out tasks under limits as they come.
local function unknown_limit_of(given)
  for _, under in ipairs(given.asks[6] or {}) do
    if redis.call('EXISTS', key.limit(under[1])) == 0 then return 'limit:' .. under[1] end
    raise_schema()
  end
end

-- Notes what a task is. It is not in the queue yet.
local function write_task(of, given, status, chosen)
  local task = { id = given.task_id, class = chosen, node = '', user = given.user_id,
    session = given.session_id, message = given.message_id, owner = of.owner, status = status,
    seq = redis.call('HINCRBY', key.cluster, 'tasks', 1), group = given.group }
  -- Age lifts priority: a task of the lowest is overtaken only by those of the next half hour.
  local rank = (tonumber(time[1]) + 600 * given.priority) * 1e6 + micros
  if given.fair ~= '' and not given.rank then rank = fair_rank(task, given, rank) end
  task.rank = given.rank or string.format('%.0f', rank)
  -- The next one of a batch comes behind it.
  micros = micros + 1
  local id = key.task(task.id)
  redis.call('HSET', id, 'status', status, 'seq', task.seq, 'class', chosen,
    'rank', task.rank, 'wants', given.wants, 'priority', given.priority,
    'timeout_ms', given.timeout_ms, 'retry_count', 0, 'max_retries', given.max_retries,
    'user_id', given.user_id, 'session_id', given.session_id, 'message_id', given.message_id,
    'owner', of.owner, 'assigned_node', '', 'submitted_at', now, 'progress', 0,
    unpack(words_of(task, given)))
  local is_large = #given.spec > LARGE_SPEC_BYTES
  redis.call('HSET', is_large and key.task_large(task.id) or id, 'spec', given.spec)
  if is_large then redis.call('HSET', id, 'bytes', #given.spec) end
  if of.tasks_max ~= '' then
    task.counted = #given.spec + #given.wants + #given.approval
    redis.call('HSET', id, 'counted', task.counted)
    count_unfinished(task, 1)
  end
  return task
end

-- Notes a task as one of a group.
local function join_group(task)
  local group = key.group(task.group)
  redis.call('HSET', key.task(task.id), 'group', task.group)
  redis.call('ZADD', key.group_tasks(task.group), task.seq, task.id)
  redis.call('HINCRBY', group, 'total', 1)
  redis.call('HINCRBY', group, 'open', 1)
end

-- Notes how a draft is to begin (task/begin), where it is not to begin at once.
local function keep_for_later(given)
  -- Hubs before this version would take it for a session's, and leave its money reserved.
  raise_schema()
  if given.delay_ms ~= '0' or given.approval ~= '' then
    redis.call('HSET', key.task_large(given.task_id), 'begins',
      cmsgpack.pack({ given.delay_ms, given.approval, given.wait_id }))
  end
end

-- Lets a task that was noted wait for whatever it waits for: others, an approval, a time, or a node. Whether
-- what it follows has ended otherwise than it asks.
local function begin(task, given)
  local record, unmet, failed = key.task(task.id), 0, nil
  if given.approval ~= '' then
    redis.call('HSET', key.task_large(task.id), 'asks', given.approval, 'asks_id', given.wait_id)
  end
  if given.edges then
    unmet, failed = attach(task.id, given.edges, task.id)
    -- What cannot be met any more never is.
    redis.call('HSET', record, 'unmet', failed and unmet + 1 or unmet)
    raise_schema()
  end
  local delay_ms, reason = tonumber(given.delay_ms), 'submitted'
  if unmet > 0 or failed then
    task.status, reason = 'waiting', 'dependencies'
  elseif given.approval ~= '' then
    task.status, reason = 'waiting', 'approval'
    ask_first(task)
  elseif delay_ms > 0 then
    task.status = 'scheduled'
    redis.call('ZADD', key.delayed_tasks, clock + delay_ms, task.id)
    redis.call('HSET', record, 'scheduled_at', now + delay_ms)
  else
    enqueue(task)
  end
  if task.status ~= 'pending' then redis.call('HSET', record, 'status', task.status) end
  if task.group then join_group(task) end
  index_task(task)
  announce_task(task, nil, reason)
  -- It ends with the next step (task/release).
  if failed then redis.call('ZADD', key.releasing, clock, 'd/' .. task.id .. '/' .. failed) end
  return failed ~= nil
end
