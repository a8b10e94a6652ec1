-- Takes a task of which there is to be one, unless there is one (contract.md §5).
--
-- KEYS[1]  the cluster partition
-- Call     TakeUnique
-- ARGV     once
--          unique: text         JSON: whose key, and which; for how long the task holds it (`waiting`, `active`,
--                               `ttl`); what becomes of it while another does; milliseconds, and most of them.
--          owner: text          Who submits it.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          task: &'a [GivenTask<'a>]*  The task.
-- Returns  Submitted
-- Emits    task_pending · task_scheduled · task_waiting
-- include: records once unique

local of = { owner = owner, preferring_max = preferring_max, tasks_max = tasks_max,
  bytes_max = bytes_max, classes_max = classes_max }

local function read_unique()
  local row = cjson.decode(unique)
  return { digest = redis.sha1hex(row[1]), span = row[2], on = row[3], ms = row[4], most = row[5] }
end

-- The answer where another task holds the key and stays; nil if it gives way, or is followed.
local function answer_of(it, holder)
  if holder.owner ~= owner then return { 'held', '' } end
  if it.on == 'reject' then return { 'held', holder.id } end
  if it.on == 'replace' then return nil end
  if it.on == 'debounce' then push(holder, it.ms) end
  local wants = read_wants(redis.call('HGET', key.task(holder.id), 'wants'))
  local reply = { 'deduplicated', is_routable(wants) and 1 or 0 }
  append_task(reply, holder.id)
  keep_clock()
  return reply
end

-- Takes the place of a task that waits, also in the queue, or a place behind one that runs. The task that is to
-- end; nil if there is none.
local function place_after(holder, given)
  local before = predecessor_of(holder)
  if before then
    given.edges = given.edges or {}
    table.insert(given.edges, { before, 'ended' })
    given.succeeds = before
  end
  if holder.status == 'running' or is_ended(holder.status) then return nil end
  if redis.call('HGET', key.task(holder.id), 'priority') == given.priority then given.rank = holder.rank end
  return holder
end

local function run()
  local given, it = read_given(task, ''), read_unique()
  if redis.call('EXISTS', key.task(given.task_id)) == 1 then return { 'exists' } end
  local holder, ending = holder_of(it), nil
  if holder then
    local answer = answer_of(it, holder)
    if answer then return answer end
    ending = place_after(holder, given)
  end
  local bytes = #given.spec + #given.wants
  local refused, usage = refusal(of, ending and 0 or 1, bytes - (ending and ending.counted or 0))
  refused = refused or exhausted(of, given, usage)
  local unknown = given.edges and unknown_of(of, given.edges) or unknown_limit_of(given)
  if refused or unknown then return refused or { 'unknown', unknown } end
  local chosen, crowded = choose_class(of, given, tonumber(usage[1] or 0))
  if not chosen then return crowded end
  if classes_max ~= '' and usage[4] ~= classes_max then
    redis.call('HSET', key.usage(owner), 'classes_max', classes_max)
  end
  if ending then give_way(ending) end
  local taken = write_task(of, given, 'pending', chosen)
  if given.succeeds then redis.call('HSET', key.task(taken.id), 'succeeds', given.succeeds) end
  hold_unique(it, taken)
  local goes_on = begin_unique(taken, given) or ending
  local reply = { 'ok', is_routable(given.asks) and 1 or 0, goes_on and 1 or 0 }
  append_task(reply, taken.id)
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
local NO_ROOM = { too_many_classes = true, held = true, exhausted = true }
return once(run, function(reply) return not NO_ROOM[reply[1]] end)
