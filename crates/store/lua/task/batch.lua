-- Takes several tasks at once, all or none: each may follow those before it, and all may form a group, or
-- join one (contract.md §5). A running task may be their parent.
--
-- KEYS[1]  the cluster partition
-- Call     TakeBatch
-- ARGV     once
--          writer: Writer<'a>   Who asks.
--          owner: text          Whose they are.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          group: GroupId?      The group that they form, or join.
--          group_name: text     What it is called.
--          seals: flag          It takes no further tasks.
--          parent: TaskId?      The running task that makes them.
--          token: Token?        The token under which it runs.
--          tasks: &'a [GivenTask<'a>]*  The tasks.
-- Returns  Batch:
--          ok(doomed: flag, tasks: Vec<BatchedTask>)
--                               What some follow has ended otherwise than they ask: [`Release`] ends
--                               them.
--          exists(text)         The id is in use.
--          unknown(what: text)  There is no such task or group of the same owner, or no such limit.
--          sealed               The group takes no further tasks.
--          too_many_classes     Too many different sets of skills wait.
--          exhausted(what: text)  A budget is used up: `scope/id`.
--          forbidden            The parent runs on somebody else's node.
--          fenced               The parent's claim is over.
-- Emits    task_pending · task_scheduled · task_waiting
-- include: records once take group

local of = { owner = owner, preferring_max = preferring_max, tasks_max = tasks_max,
  bytes_max = bytes_max, classes_max = classes_max }

-- Why the group cannot have them; nil if it can. And whether it is new.
local function group_refusal()
  if group == '' then return nil, false end
  local row = redis.call('HMGET', key.group(group), 'owner', 'sealed')
  if not row[1] then return nil, true end
  if row[1] ~= owner then return { 'unknown', 'group:' .. group } end
  if row[2] == '1' then return { 'sealed' } end
  return nil, false
end

-- Why a task cannot be the parent; nil if it can. A lease that has run out is ended by whoever else looks.
local function parent_refusal(holder)
  if not holder or holder.owner ~= owner then return { 'unknown', parent } end
  local till = tonumber(redis.call('ZSCORE', key.task_leases, parent) or 0)
  if holder.status ~= 'running' or holder.token ~= token or till <= clock then return { 'fenced' } end
  if writer ~= '' and redis.call('HGET', key.node(holder.node), 'owner') ~= writer then
    return { 'forbidden' }
  end
end

-- The tasks as they are given, if all can be taken; else why not. And what the owner has.
local function read_all(is_new_group)
  local all, earlier, bytes = {}, {}, 0
  if is_new_group then earlier['group:' .. group] = true end
  for at = tasks, #ARGV, TASK_ARGUMENTS do
    local given = read_given(at, group)
    if earlier[given.task_id] or redis.call('EXISTS', key.task(given.task_id)) == 1 then
      return nil, { 'exists', given.task_id }
    end
    local unknown = given.edges and unknown_of(of, given.edges, earlier) or unknown_limit_of(given)
    if unknown then return nil, { 'unknown', unknown } end
    earlier[given.task_id] = true
    bytes = bytes + #given.spec + #given.wants + #given.approval
    all[#all + 1] = given
  end
  return all, refusal(of, #all, bytes)
end

local function make_group()
  redis.call('HSET', key.group(group), 'owner', owner, 'name', group_name, 'status', 'open', 'sealed', 0,
    'total', 0, 'open', 0, 'parent', parent, 'created_at', now)
  raise_schema()
end

local function run()
  local holder = parent ~= '' and read_task(parent)
  local unfit = parent ~= '' and parent_refusal(holder)
  if unfit then return unfit end
  local refused, is_new_group = group_refusal()
  if refused then return refused end
  local all, unable, usage = read_all(is_new_group)
  if unable then return unable end
  for _, given in ipairs(all) do
    unable = exhausted(of, given, usage)
    if unable then return unable end
  end
  local has = tonumber(usage[1] or 0)
  if has + #all > CLASSES_MAX then return { 'too_many_classes' } end
  if is_new_group then make_group() end
  if classes_max ~= '' then redis.call('HSET', key.usage(owner), 'classes_max', classes_max) end
  local reply, is_doomed = { 'ok', 0 }, false
  for _, given in ipairs(all) do
    -- Where there is no room for a class, the task waits for some (enqueue).
    local chosen = choose_class(of, given, has) or 'r' .. redis.sha1hex(owner .. ' ' .. given.plain_class)
    local task = write_task(of, given, 'pending', chosen)
    is_doomed = begin(task, given) or is_doomed
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = task.id, task.status,
      is_routable(given.asks) and 1 or 0
  end
  if group ~= '' and seals == '1' then
    seal_group(group)
  elseif group ~= '' and holder then
    -- It has one group that takes further tasks.
    if holder.children and holder.children ~= group then seal_group(holder.children) end
    redis.call('HSET', key.task(parent), 'children', group)
  end
  reply[2] = is_doomed and 1 or 0
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many_classes' and reply[1] ~= 'exhausted' end)
