-- Takes a task (contract.md §5). A draft waits, unseen, until task/queue says that its message is there.
--
-- KEYS[1]  the cluster partition
-- Call     Take
-- ARGV     once
--          task_id: TaskId      Its id.
--          is_draft: flag       It waits, unseen, until [`Queue`] says that its message is there.
--          delay_ms: int        How long it is kept back.
--          spec: Spec<'a, &'a Json>
--                               What it is, apart from what changes (JSON).
--          wants: String        What it wants of a node (JSON: required skills, optional skills, tags,
--                               perhaps agents).
--          class: String        The same in a fixed order.
--          plain_class: String  Its required skills and agents alone, likewise.
--          priority: int        0 (critical) to 3 (low).
--          timeout_ms: int      Longest run.
--          max_retries: int     How often it may be tried again.
--          user_id: text        Whom it is for; may be empty.
--          session_id: SessionId?  The session that shows it.
--          message_id: MessageId?  The message that shows it.
--          owner: text          Who submits it.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          keeps: String        How long it is kept after it has completed, and after another end, in
--                               milliseconds with a slash between them, each perhaps empty; empty if
--                               it says neither.
-- Returns  Submitted:
--          ok(routable: flag, task: Option<Box<Task>>)
--                               It waits; some node has the skills, or none. Without the task it is a
--                               draft.
--          exists               The id is in use.
--          too_many_classes     Too many different sets of skills wait.
-- Emits    task_pending · task_scheduled
-- include: records once quota claim routable

delay_ms = tonumber(delay_ms)

-- The class to wait in; nil and the answer if there are too many. Each owner has classes of its own,
-- so that nobody's different wishes are counted against, or looked at for, somebody else's.
local function choose_class(has)
  local full = 'p' .. redis.sha1hex(owner .. ' ' .. class)
  local plain = 'r' .. redis.sha1hex(owner .. ' ' .. plain_class)
  if has < tonumber(preferring_max) or redis.call('HEXISTS', key.queue_classes, full) == 1 then
    return full
  end
  local refused = over_quota('quota_classes', classes_max, has, 1)
  if not refused and has >= CLASSES_MAX then refused = { 'too_many_classes' } end
  if not refused or redis.call('HEXISTS', key.queue_classes, plain) == 1 then return plain end
  return nil, refused
end

-- Why the owner may not have another task; nil if it may.
local function refusal(usage, bytes)
  return over_quota('quota_tasks', tasks_max, tonumber(usage[2] or 0), 1)
    or over_quota('quota_task_bytes', bytes_max, tonumber(usage[3] or 0), bytes)
end

local function begin(task)
  if delay_ms > 0 then
    redis.call('ZADD', key.delayed_tasks, clock + delay_ms, task_id)
    redis.call('HSET', key.task(task_id), 'scheduled_at', now + delay_ms)
  else
    enqueue(task)
  end
  index_task(task)
  announce_task(task, nil, 'submitted')
end

local function run()
  if redis.call('EXISTS', key.task(task_id)) == 1 then return { 'exists' } end
  local usage = redis.call('HMGET', key.usage(owner), 'classes', 'tasks', 'task_bytes', 'classes_max')
  local bytes = #spec + #wants
  local refused = refusal(usage, bytes)
  if refused then return refused end
  local chosen, crowded = choose_class(tonumber(usage[1] or 0))
  if not chosen then return crowded end
  if classes_max ~= '' and usage[4] ~= classes_max then
    redis.call('HSET', key.usage(owner), 'classes_max', classes_max)
  end
  local task = { id = task_id, class = chosen, node = '', user = user_id, session = session_id,
    owner = owner, seq = redis.call('HINCRBY', key.cluster, 'tasks', 1),
    status = is_draft == '1' and 'draft' or delay_ms > 0 and 'scheduled' or 'pending' }
  -- Age lifts priority: a task of the lowest is overtaken only by those of the next half hour.
  task.rank = string.format('%.0f', (tonumber(time[1]) + 600 * priority) * 1e6 + micros)
  redis.call('HSET', key.task(task_id), 'status', task.status, 'seq', task.seq, 'class', chosen,
    'rank', task.rank, 'wants', wants, 'priority', priority,
    'timeout_ms', timeout_ms, 'retry_count', 0, 'max_retries', max_retries, 'user_id', user_id,
    'session_id', session_id, 'message_id', message_id, 'owner', owner, 'assigned_node', '',
    'submitted_at', now, 'progress', 0)
  if #spec > LARGE_SPEC_BYTES then
    redis.call('HSET', key.task_large(task_id), 'spec', spec)
    redis.call('HSET', key.task(task_id), 'bytes', #spec)
  else
    redis.call('HSET', key.task(task_id), 'spec', spec)
  end
  if keeps ~= '' then redis.call('HSET', key.task(task_id), 'keep', keeps) end
  if tasks_max ~= '' then
    task.counted = bytes
    redis.call('HSET', key.task(task_id), 'counted', bytes)
    count_unfinished(task, 1)
  end
  local reply = { 'ok', is_routable(read_wants(wants)) and 1 or 0 }
  if is_draft == '1' then
    redis.call('ZADD', key.draft_tasks, clock, task_id)
  else
    begin(task)
    append_task(reply, task_id)
  end
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many_classes' end)
