-- Takes a task (contract.md §5). A draft waits, unseen, until task/queue says that its message is there.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 task id · 4 1 for a draft else 0 · 5 delay in ms · 6 spec (JSON)
--          7 wants (JSON: required skills, optional skills, tags, perhaps agents) · 8 wants in a fixed order, as the
--          class · 9 required skills alone, likewise · 10 priority · 11 timeout in ms
--          12 most retries · 13 user ('') · 14 session ('') · 15 message ('') · 16 owner
--          17 most classes of the owner with preferences · 18 most classes of the owner
--          19 most unfinished tasks of the owner · 20 bytes of them · 21 classes ('' for no bound)
-- Returns  'ok', 1 if a node has the skills else 0, task row · 'exists' · 'too_many_classes'
--          'quota'
-- Emits    task_pending · task_scheduled
-- include: now clock foreign rfc3339 records once quota event queue node claim routable

local id, delay_ms = ARGV[3], tonumber(ARGV[5])

local owner = ARGV[16]

-- The class to wait in; nil and the answer if there are too many. Each owner has classes of its own,
-- so that nobody's different wishes are counted against, or looked at for, somebody else's.
local function choose_class(has)
  local full = 'p' .. redis.sha1hex(owner .. ' ' .. ARGV[8])
  local plain = 'r' .. redis.sha1hex(owner .. ' ' .. ARGV[9])
  if has < tonumber(ARGV[17]) or redis.call('HEXISTS', key.queue_classes, full) == 1 then
    return full
  end
  local refused = over_quota('quota_classes', ARGV[21], has, 1)
  if not refused and has >= tonumber(ARGV[18]) then refused = { 'too_many_classes' } end
  if not refused or redis.call('HEXISTS', key.queue_classes, plain) == 1 then return plain end
  return nil, refused
end

-- Why the owner may not have another task; nil if it may.
local function refusal(usage, bytes)
  return over_quota('quota_tasks', ARGV[19], tonumber(usage[2] or 0), 1)
    or over_quota('quota_task_bytes', ARGV[20], tonumber(usage[3] or 0), bytes)
end

local function begin(task)
  if delay_ms > 0 then
    task.status = 'scheduled'
    redis.call('ZADD', key.delayed_tasks, clock + delay_ms, id)
    redis.call('HSET', key.task(id), 'scheduled_at', now + delay_ms)
  else
    task.status = 'pending'
    enqueue(task)
  end
  redis.call('HSET', key.task(id), 'status', task.status)
  index_task(task)
  announce_task(task, nil, 'submitted')
end

local function run()
  if redis.call('EXISTS', key.task(id)) == 1 then return { 'exists' } end
  local usage = redis.call('HMGET', key.usage(owner), 'classes', 'tasks', 'task_bytes', 'classes_max')
  local bytes = #ARGV[6] + #ARGV[7]
  local refused = refusal(usage, bytes)
  if refused then return refused end
  local class, crowded = choose_class(tonumber(usage[1] or 0))
  if not class then return crowded end
  if ARGV[21] ~= '' and usage[4] ~= ARGV[21] then
    redis.call('HSET', key.usage(owner), 'classes_max', ARGV[21])
  end
  local task = { id = id, class = class, node = '', user = ARGV[13], session = ARGV[14],
    owner = owner, seq = redis.call('HINCRBY', key.cluster, 'tasks', 1) }
  -- Age lifts priority: a task of the lowest is overtaken only by those of the next half hour.
  task.rank = string.format('%.0f', (tonumber(time[1]) + 600 * tonumber(ARGV[10])) * 1e6 + micros)
  redis.call('HSET', key.task(id), 'status', 'draft', 'seq', task.seq, 'class', class,
    'rank', task.rank, 'spec', ARGV[6], 'wants', ARGV[7], 'priority', ARGV[10],
    'timeout_ms', ARGV[11], 'retry_count', 0, 'max_retries', ARGV[12], 'user_id', ARGV[13],
    'session_id', ARGV[14], 'message_id', ARGV[15], 'owner', owner, 'assigned_node', '',
    'submitted_at', now, 'progress', 0)
  if ARGV[19] ~= '' then
    task.counted = bytes
    redis.call('HSET', key.task(id), 'counted', bytes)
    count_unfinished(task, 1)
  end
  local reply = { 'ok', is_routable(cjson.decode(ARGV[7])) and 1 or 0 }
  if ARGV[4] == '1' then
    redis.call('ZADD', key.draft_tasks, clock, id)
  else
    begin(task)
    append_task(reply, id)
  end
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many_classes' end)
