-- Lets a running task wait: whoever held it lets go, and it comes back into the queue when what it waits
-- for has come. A signal that is there already lets the claim go on.
--
-- KEYS[1]  the cluster partition
-- Call     BeginWait
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          wait_id: WaitId      The wait's id.
--          wait: WaitSpec       What it waits for.
--          checkpoint: Option<&'a Json>
--                               What the task's next claim begins with; none: as it was.
-- Returns  Written<Begun>:
--          ok(expires_at: Option<UnixMillis>)  It waits.
--          ready(resume: Box<RawValue>)  It has come already: the claim goes on.
--          unknown(what: text)  There is no such task or group of the same owner.
-- Emits    task_waiting
-- include: records once claim follow group begin_wait checkpoint

local large = key.task_large(task_id)

-- The first of what is waited for that the task may not wait for; nil if there is none.
local function unknown_of(task, edges)
  for _, edge in ipairs(edges) do
    local status, owner = standing_of(edge[1])
    -- It would wait for itself.
    local is_own = edge[1] == task_id or edge[1] == 'group:' .. (task.group or '')
    if not status or owner ~= task.owner or is_own then return edge[1] end
  end
end

-- Follows tasks and groups. Returns what has come, if it has already.
local function follow_all(task, spec)
  local own = 'group:' .. (task.children or '')
  for _, edge in ipairs(spec.edges) do
    if edge[1] == own then seal_group(task.children) end
  end
  local unmet, failed = attach(wait_id, spec.edges, ':' .. wait_id)
  spec.unmet = unmet
  for _, edge in ipairs(spec.edges) do
    local group = string.match(edge[1], '^group:(.*)')
    if group and spec.name ~= 'ended' then
      redis.call('SADD', key.group_watchers(group), ':' .. wait_id)
      failed = failed or redis.call('HGET', key.group(group), 'first_failure')
    end
  end
  if unmet == 0 or (spec.name == 'any' and unmet < #spec.edges) or (spec.name ~= 'ended' and failed) then
    local resume = resume_of_tasks(wait_id)
    redis.call('DEL', key.task_after(wait_id))
    return resume
  end
end

-- What it was to wait for, if that has come.
local function come(task, spec)
  if spec.edges then return follow_all(task, spec) end
  local signal = spec.kind == 'signal' and take_signal(task, spec.name)
  return signal and resume_of_signal(wait_id, spec.name, signal[2])
end

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  local spec = cjson.decode(wait)
  local unknown = spec.edges and unknown_of(task, spec.edges)
  if unknown then return { 'unknown', unknown } end
  keep_checkpoint(task, checkpoint)
  local resume = come(task, spec)
  if resume then
    redis.call('HSET', large, 'resume', resume)
    redis.call('HSET', key.task(task_id), 'waits', (task.waits or 0) + 1)
    return { 'ready', resume }
  end
  redis.call('HDEL', large, 'resume')
  end_claim(task, true)
  local asker = redis.call('HGET', key.node(task.node), 'owner') or ''
  redis.call('ZREM', key.tasks_by_node(task.node), task_id)
  end_attempt(task, 'waiting')
  begin_wait(task, wait_id, asker, spec)
  move_task(task, 'waiting', spec.kind)
  return { 'ok', spec.due_ms and now + spec.due_ms or '' }
end

return once(run)
