-- The queue: waiting tasks by class. A class is what tasks want of a node, so a claim looks at
-- classes and never at the backlog. Each class is listed under one of its skills, the one that
-- fewest nodes had when it came to be, so that a node hardly meets classes that it cannot serve.
-- include: clock event history attempts

-- Every status that is shown.
local TASK_STATUSES = {
  'pending', 'scheduled', 'waiting', 'running', 'completed', 'failed', 'cancelled', 'timeout',
}

-- What is paused, among the audiences: `*` for all, or the skills, and the types behind a line feed, of
-- which the usual one is empty.
local PAUSED = '@paused'

-- Whether there ever was a limit, beside it: claims of a hub without look for none.
local LIMITED = '@limited'

-- The part of a task's hash that the scripts work with.
local function read_task(id)
  local row = redis.call('HMGET', key.task(id), 'status', 'seq', 'class', 'rank', 'assigned_node',
    'token', 'retry_count', 'max_retries', 'message_id', 'owner', 'claimed', 'deadline', 'lease_ms',
    'started_at', 'session_id', 'user_id', 'submitted_at', 'counted', 'bytes', 'wait', 'waits', 'unmet',
    'followed', 'group', 'children', 'uses', 'charge', 'unique', 'attempt', 'error_key', 'logged')
  if not row[1] or row[1] == 'draft' then return nil end
  return { id = id, status = row[1], seq = row[2], class = row[3], rank = row[4], node = row[5],
    token = row[6], retries = tonumber(row[7]), retries_max = tonumber(row[8]), message = row[9],
    owner = row[10], claimed = tonumber(row[11]), deadline = tonumber(row[12]),
    lease_ms = tonumber(row[13]), started = tonumber(row[14]), session = row[15], user = row[16],
    submitted = row[17], counted = row[18], bytes = tonumber(row[19]), wait = row[20] ~= '' and row[20] or nil,
    waits = tonumber(row[21]), unmet = tonumber(row[22]), followed = row[23], group = row[24],
    children = row[25], uses = row[26], charge = row[27], unique = row[28],
    attempt = tonumber(row[29]), error_key = row[30], logged = tonumber(row[31]) }
end

-- Counts an unfinished task for its owner (1), or not any more (-1): itself, and the bytes that are
-- counted of it. Tasks of owners without quotas are not counted.
local function count_unfinished(task, sign)
  if not task.counted then return end
  redis.call('HINCRBY', key.usage(task.owner), 'tasks', sign)
  redis.call('HINCRBY', key.usage(task.owner), 'task_bytes', sign * task.counted)
end

-- Counts more bytes of an unfinished task for its owner, or fewer.
local function recount(task, bytes)
  if not task.counted or bytes == 0 then return end
  redis.call('HINCRBY', key.usage(task.owner), 'task_bytes', bytes)
  task.counted = redis.call('HINCRBY', key.task(task.id), 'counted', bytes)
end

-- What a task wants: required skills, optional skills, tags, the agents whose nodes may run it (nil for
-- everybody's), the one node that it is for (nil for any), and the limits that it is under (nil for none).
local function read_wants(json)
  local wants = cjson.decode(json)
  if wants[4] and #wants[4] == 0 then wants[4] = nil end
  if wants[5] == cjson.null then wants[5] = nil end
  return wants
end

local function labels_json(labels)
  return #labels == 0 and '[]' or cjson.encode(labels)
end

-- A class by its name: the skill that it is listed under, required skills, optional skills, tags, owner,
-- the agents whose nodes may run its tasks (false for everybody's), the one node that they are for
-- (nil or false for any), the limits that they are under (nil or false for none), and their type (nil for
-- the usual one). It is there while a task of it waits. A script that asks again for one is spared the look.
local classes = {}
local function read_class(class)
  if not classes[class] then
    local record = redis.call('HGET', key.queue_classes, class)
    classes[class] = record and cmsgpack.unpack(record)
  end
  return classes[class]
end

-- The counters of the special lists that a class stands in.
local function audiences_of(record)
  if record[7] then return { '>' .. record[7] } end
  return record[6] or {}
end

-- Makes a class, of what one of its tasks wants. Names that begin with `r` are classes by required
-- skills alone: preferences are given up when too many different ones wait.
--
-- An owner has no more classes than it may have (usage: classes_max), whatever way its tasks come to
-- wait: false if this one would be one more.
local function open_class(class, id, owner)
  if read_class(class) then return true end
  local usage = redis.call('HMGET', key.usage(owner), 'classes', 'classes_max')
  if usage[2] and tonumber(usage[1] or 0) >= tonumber(usage[2]) then return false end
  local row = redis.call('HMGET', key.task(id), 'wants', 'kind')
  local wants, kind = read_wants(row[1]), row[2] or nil
  local rarest, fewest = '', math.huge
  for _, skill in ipairs(wants[1]) do
    local nodes = redis.call('ZCARD', key.by_skill(skill))
    if nodes < fewest then rarest, fewest = skill, nodes end
  end
  local prefers = string.sub(class, 1, 1) ~= 'r'
  classes[class] = { rarest, wants[1], prefers and wants[2] or {}, prefers and wants[3] or {}, owner,
    wants[4] or false, wants[5] or ((wants[6] or kind) and false), wants[6] or (kind and false), kind }
  -- Redis keeps a hash of small values as a list, of which a look reads half: one large value makes it a
  -- table for good.
  local record = cmsgpack.pack(classes[class])
  redis.call('HSET', key.queue_classes, class, record .. string.rep('\192', SMALL_VALUE_BYTES + 1 - #record))
  redis.call('HINCRBY', key.usage(owner), 'classes', 1)
  for _, audience in ipairs(audiences_of(classes[class])) do
    redis.call('HINCRBY', key.queue_audiences, audience, 1)
  end
  return true
end

-- The lists that a class stands in. One for a node, or for some agents only, is listed for each of
-- them apart, so that nobody else's node ever meets it.
local function heads_of(record)
  if record[7] then return { key.queue_heads_at(record[7]) } end
  if not record[6] then return { key.queue_heads(record[1]) } end
  local lists = {}
  for i, agent in ipairs(record[6]) do lists[i] = key.queue_heads_for(agent, record[1]) end
  return lists
end

-- Lists a class by its first task, or forgets it with its last. One that is parked for a limit (include
-- limit) stays so.
local function show_head(class)
  local record = read_class(class)
  if not record then return end
  local head = redis.call('ZRANGE', key.queue(class), 0, 0, 'WITHSCORES')
  local parked = record[8] and redis.call('HGET', key.parked_classes, class)
  if parked and not head[1] then redis.call('HDEL', key.parked_classes, class) end
  for _, list in ipairs(parked and { key.limit_parked(parked) } or heads_of(record)) do
    if head[1] then
      redis.call('ZADD', list, head[2], class)
    else
      redis.call('ZREM', list, class)
    end
  end
  if head[1] then return end
  classes[class] = nil
  redis.call('HDEL', key.queue_classes, class)
  if record[5] then redis.call('HINCRBY', key.usage(record[5]), 'classes', -1) end
  for _, audience in ipairs(audiences_of(record)) do
    if redis.call('HINCRBY', key.queue_audiences, audience, -1) <= 0 then
      redis.call('HDEL', key.queue_audiences, audience)
    end
  end
end

local function enqueue(task)
  if not open_class(task.class, task.id, task.owner) then
    redis.call('ZADD', key.delayed_tasks, clock + CROWDED_MS, task.id)
    return false
  end
  redis.call('ZADD', key.queue(task.class), task.rank, task.id)
  redis.call('ZADD', key.waiting_tasks, task.rank, task.id)
  show_head(task.class)
  return true
end

local function dequeue(task)
  if redis.call('ZREM', key.delayed_tasks, task.id) == 1 then return end
  redis.call('ZREM', key.waiting_tasks, task.id)
  redis.call('ZREM', key.queue(task.class), task.id)
  show_head(task.class)
end

-- Appends task_<status> to the event log. One that can be claimed says what it asks for, so that
-- who waits for work knows whether to look.
local function announce_task(task, previous, reason)
  local record = task.status == 'pending' and read_class(task.class)
  tell_task_moved('task_' .. task.status, task.id, task.status, previous, task.node, reason,
    record and labels_json(record[2]), record and record[7],
    (task.status == 'waiting' or previous == 'waiting') and task.wait)
end

-- Moves a task to another status: indexes and event.
local function move_task(task, to, reason)
  local previous = task.status
  redis.call('ZREM', key.tasks_by_status(previous), task.id)
  redis.call('ZADD', key.tasks_by_status(to), task.seq, task.id)
  if to == 'pending' then
    -- It waits from now on.
    redis.call('HSET', key.task(task.id), 'status', to, 'queued_at', now)
  else
    redis.call('HSET', key.task(task.id), 'status', to)
  end
  task.status = to
  announce_task(task, previous, reason)
end

-- Back to the queue. The token that the task was claimed under is stale from here on, because
-- only a running task's counts.
local function requeue(task, reason)
  redis.call('ZREM', key.task_leases, task.id)
  redis.call('ZREM', key.tasks_by_node(task.node), task.id)
  redis.call('HSET', key.task(task.id), 'assigned_node', '')
  enqueue(task)
  move_task(task, 'pending', reason)
end

-- Gives back what a task that does not run any more counted against. Whoever claims next opens what is
-- parked for it (include limit); who waits for such tasks is told of the first.
local function give_back_uses(task)
  for _, use in ipairs(cjson.decode(task.uses)) do
    local was_held = redis.call('SREM', key.limit_held(use), task.id) == 1
    local limit = string.match(use, '^[^/]*')
    if #use > #limit + 2 then redis.call('SREM', key.limit_held(limit), task.id) end
    local class = was_held and redis.call('ZRANGE', key.limit_parked(use), 0, 0)[1]
    local record = class and read_class(class)
    if record then
      redis.call('ZADD', key.limits_opening, clock, use)
      tell_class_open(labels_json(record[2]), record[7])
    end
  end
  redis.call('HDEL', key.task(task.id), 'uses')
end

-- Notes that a claim is over: what it counted against is free, and the message of a session task hears of
-- it, so that it takes nothing more under the token.
local function note_claim_over(task)
  if task.uses then give_back_uses(task) end
  if task.message ~= '' and task.token then
    redis.call('ZADD', key.claims_over, now,
      task.message .. '/' .. string.match(task.token, '^%d*'))
  end
end

-- Notes that a node has lost claims, if it renews whatever it holds: it knows no tokens by which it
-- could find out, and is told with its next heartbeat. What nobody asks for is forgotten in a day.
local function note_lost(node, ids, reason)
  if #ids == 0 or not redis.call('HGET', key.node(node), 'renews_all') then return end
  for _, id in ipairs(ids) do
    if redis.call('HLEN', key.lost_claims(node)) < CONCURRENT_TASKS_MAX then
      redis.call('HSET', key.lost_claims(node), id, reason)
    end
  end
  redis.call('PEXPIRE', key.lost_claims(node), LOST_CLAIMS_KEPT_MS)
end

-- Gives back all that a node holds, at once and without counting it as a retry (contract.md §5).
local function release_claims(node, reason)
  local released = redis.call('SPOP', key.claims(node), CONCURRENT_TASKS_MAX)
  for _, id in ipairs(released) do
    local task = read_task(id)
    if task and task.status == 'running' then
      note_claim_over(task)
      end_attempt(task, 'released')
      requeue(task, reason)
    end
  end
  note_lost(node, released, 'released')
  return #released
end
