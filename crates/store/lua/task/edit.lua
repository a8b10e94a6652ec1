-- Rewrites a task that waits: it leaves the queue, and comes back under what it is now. What it was made from
-- was read before; where somebody has edited it since, nothing is changed.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          writer: Writer<'a>   Who asks.
--          version: text        [`Found::version`] of what it was made from.
--          if_status: text      Only in this status; empty: while it waits.
--          delay_ms: int?       For how long it is kept back from now on, in milliseconds; 0: no longer.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          bytes_max: int?      Most bytes of the unfinished tasks of the owner.
--          classes_max: int?    Most classes of the owner.
--          fields: text         What is changed of it (JSON).
--          becomes: &'a [GivenTask<'a>]*  What it is from now on.
-- Returns  Edited:
--          ok(routable: flag, task: Box<Task>)
--                               Some node has the skills, or none.
--          not_found            There is no such task.
--          forbidden            It belongs to somebody else.
--          state(text)          Its status does not allow it.
--          changed              It is not what it was made from any more.
--          too_many_classes     Too many different sets of skills wait.
-- Emits    task_edited · task_pending · task_scheduled
-- include: records once take rank audit

local function refusal_of(task)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, writer) then return { 'forbidden' } end
  if task.status == 'running' or is_ended(task.status) or (if_status ~= '' and task.status ~= if_status)
    or (task.status == 'waiting' and delay_ms ~= '') then
    return { 'state', task.status }
  end
  local edits = redis.call('HGET', key.task(task.id), 'edits') or 0
  return version ~= task.seq .. '/' .. edits and { 'changed' } or nil
end

-- By how many bytes it grows.
local function growth(task, given)
  local row = key.task(task.id)
  local was = redis.call('HSTRLEN', row, 'wants') + redis.call('HSTRLEN', row, 'spec')
    + redis.call('HSTRLEN', key.task_large(task.id), 'spec')
  return #given.spec + #given.wants - was
end

-- The class that it waits in from now on, where it wants something else; nil and the answer if there are
-- too many.
local function next_class(task, given, is_queued)
  local row = redis.call('HMGET', key.task(task.id), 'wants', 'kind')
  if row[1] == given.wants and (row[2] or '') == given.kind then return task.class end
  local of = { owner = task.owner, preferring_max = preferring_max, classes_max = classes_max }
  local has = tonumber(redis.call('HGET', key.usage(task.owner), 'classes') or 0)
  -- One that goes with it is none.
  if is_queued and redis.call('ZCARD', key.queue(task.class)) == 1 then has = has - 1 end
  return choose_class(of, given, has)
end

local function rewrite(task, given)
  local id, large = key.task(task.id), key.task_large(task.id)
  redis.call('HSET', id, 'wants', given.wants, 'class', task.class, 'timeout_ms', given.timeout_ms,
    'max_retries', given.max_retries)
  if #given.spec > LARGE_SPEC_BYTES then
    redis.call('HSET', large, 'spec', given.spec)
    redis.call('HDEL', id, 'spec')
    redis.call('HSET', id, 'bytes', #given.spec)
  else
    redis.call('HDEL', large, 'spec')
    redis.call('HDEL', id, 'bytes')
    redis.call('HSET', id, 'spec', given.spec)
  end
  set_priority(task, given.priority)
  unlist_words(task)
  redis.call('HDEL', large, 'labels')
  redis.call('HDEL', id, 'labels', 'retry', 'kind')
  redis.call('HSET', id, unpack(words_of(task, given)))
  list_words(task)
  redis.call('HINCRBY', id, 'edits', 1)
end

-- Puts it where it belongs now: back into the queue, or aside until its time has come.
local function put(task, is_queued, due, is_new_class)
  if delay_ms ~= '' and tonumber(delay_ms) > 0 then
    redis.call('ZADD', key.delayed_tasks, clock + delay_ms, task.id)
    redis.call('HSET', key.task(task.id), 'scheduled_at', now + delay_ms)
    if task.status ~= 'scheduled' then move_task(task, 'scheduled', 'edited') end
  elseif is_queued or delay_ms ~= '' then
    enqueue(task)
    if task.status == 'scheduled' then
      move_task(task, 'pending', 'edited')
    elseif is_new_class or not is_queued then
      announce_task(task, 'pending', 'edited')
    end
  elseif due then
    redis.call('ZADD', key.delayed_tasks, due, task.id)
  end
end

local function run()
  local given = read_given(becomes, '')
  local it = read_task(given.task_id)
  local refused = refusal_of(it)
  if refused then return refused end
  local more = growth(it, given)
  if it.counted and more > 0 then
    local has = tonumber(redis.call('HGET', key.usage(it.owner), 'task_bytes') or 0)
    refused = over_quota('quota_task_bytes', bytes_max, has, more)
    if refused then return refused end
  end
  local due = redis.call('ZSCORE', key.delayed_tasks, it.id)
  local is_queued = not due and it.status == 'pending'
  local was = it.status
  local class, crowded = next_class(it, given, is_queued)
  if not class then return crowded end
  if it.status ~= 'waiting' then dequeue(it) end
  local is_new_class = class ~= it.class
  it.class = class
  recount(it, more)
  rewrite(it, given)
  if it.status ~= 'waiting' then put(it, is_queued, due, is_new_class) end
  tell_task_edited(it.id, fields)
  audit('task.edit', it.id, facts('status', was), facts('fields', { fields }))
  keep_clock()
  local reply = { 'ok', is_routable(read_wants(given.wants)) and 1 or 0 }
  append_task(reply, it.id)
  return reply
end

-- What tells the caller to try again is not kept: a repeat may find it otherwise.
return once(run, function(reply) return reply[1] ~= 'too_many_classes' and reply[1] ~= 'changed' end)
