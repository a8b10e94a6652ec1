-- Takes a task (contract.md §5). One that is paid for is a draft, unseen until task/begin says that its money is
-- there.
--
-- KEYS[1]  the cluster partition
-- Call     Take
-- ARGV     once
--          is_draft: flag       It waits, unseen, until [`Begin`] says that its money is there.
--          owner: text          Who submits it.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          group: GroupId?      The group that it joins.
--          task: &'a [GivenTask<'a>]*  The task.
-- Returns  Submitted:
--          ok(routable: flag, doomed: flag, task: Box<Task>)
--                               It waits; some node has the skills, or none. What it follows has ended
--                               otherwise than it asks, or it takes another's place: [`Release`] ends that.
--          exists               The id is in use.
--          too_many_classes     Too many different sets of skills wait.
--          unknown(what: text)  There is no such task or group of the same owner, or no such limit.
--          sealed               The group takes no further tasks.
--          draft(routable: flag)  It is a draft.
--          exhausted(what: text)  A budget is used up: `scope/id`.
--          deduplicated(routable: flag, task: Box<Task>)
--                               There is one already, which is this (task/submit_unique).
--          held(holder: TaskId?)  There is one already, which may be somebody else's (task/submit_unique).
-- Emits    task_pending · task_scheduled · task_waiting
-- include: records once take

local of = { owner = owner, preferring_max = preferring_max, tasks_max = tasks_max,
  bytes_max = bytes_max, classes_max = classes_max }

-- Why it cannot follow what it is to follow, be under its limits or join its group; nil if it can.
local function flow_refusal(given)
  local unknown = given.edges and unknown_of(of, given.edges) or unknown_limit_of(given)
  if unknown then return { 'unknown', unknown } end
  if not given.group then return nil end
  local row = redis.call('HMGET', key.group(given.group), 'owner', 'sealed')
  if row[1] ~= owner then return { 'unknown', 'group:' .. given.group } end
  return row[2] == '1' and { 'sealed' } or nil
end

local function run()
  local given = read_given(task, group)
  if redis.call('EXISTS', key.task(given.task_id)) == 1 then return { 'exists' } end
  local refused, usage = refusal(of, 1, #given.spec + #given.wants + #given.approval)
  refused = refused or flow_refusal(given) or exhausted(of, given, usage)
  if refused then return refused end
  local chosen, crowded = choose_class(of, given, tonumber(usage[1] or 0))
  if not chosen then return crowded end
  if classes_max ~= '' and usage[4] ~= classes_max then
    redis.call('HSET', key.usage(owner), 'classes_max', classes_max)
  end
  local taken = write_task(of, given, is_draft == '1' and 'draft' or 'pending', chosen)
  local reply = { 'ok', is_routable(given.asks) and 1 or 0, 0 }
  if is_draft == '1' then
    redis.call('ZADD', key.draft_tasks, clock, taken.id)
    keep_for_later(given)
    keep_clock()
    return { 'draft', reply[2] }
  end
  reply[3] = begin(taken, given) and 1 or 0
  append_task(reply, taken.id)
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many_classes' and reply[1] ~= 'exhausted' end)
