-- Claims: a node holds a task under a token while its lease runs.
-- include: queue node wait words group dead

-- Lets go of a claim. What a node reported counted a task that it held by then.
local function end_claim(task, has_stopped)
  note_claim_over(task)
  redis.call('ZREM', key.task_leases, task.id)
  redis.call('SREM', key.claims(task.node), task.id)
  local row = redis.call('HMGET', key.node(task.node), 'reported', 'beat')
  local reported = tonumber(row[1])
  if has_stopped and reported and task.claimed <= tonumber(row[2]) then
    reported = math.max(reported - 1, 0)
  end
  index_load(task.node, reported)
end

-- Counts a task that a node has ended. Those that were cancelled are nobody's merit or fault.
local function count_end(task, is_success)
  local node = key.node(task.node)
  local row = redis.call('HMGET', node, 'total_tasks_processed', 'average_execution_time')
  if not row[1] then return end
  local total, seconds = tonumber(row[1]), math.max(now - task.started, 0) / 1000
  local average = (tonumber(row[2]) * total + seconds) / (total + 1)
  redis.call('HSET', node, 'average_execution_time', string.format('%.3f', average))
  redis.call('HINCRBY', node, 'total_tasks_processed', 1)
  redis.call('HINCRBY', node, is_success and 'successful_tasks' or 'failed_tasks', 1)
end

local LATE = 'The task took longer than its timeout.'

-- A claim whose lease ran out: one more try, or the end.
local function lose_claim(task, reason)
  end_claim(task, false)
  count_span('t', now - task.started)
  note_lost(task.node, { task.id }, reason)
  if task.retries < task.retries_max then
    redis.call('HINCRBY', key.task(task.id), 'retry_count', 1)
    end_attempt(task, 'timeout', reason == 'timeout' and LATE or 'The lease ran out.')
    requeue(task, reason)
  else
    count_end(task, false)
    redis.call('HSET', key.task(task.id), 'error', reason == 'timeout'
      and LATE or 'The lease ran out and no tries are left.')
    end_task(task, 'timeout', reason)
  end
end

-- Whether a node holds a running task under a token. A lease that has run out ends here, whoever
-- looks first, so that nothing done after it counts.
local function holds(task, token)
  if not task or task.status ~= 'running' or task.token ~= token then return false end
  local till = tonumber(redis.call('ZSCORE', key.task_leases, task.id)) or 0
  if till > clock then return true end
  lose_claim(task, till >= task.deadline and 'timeout' or 'lease')
  return false
end

-- Renews a lease, but never past the task's own timeout, and says how long it is.
local function renew_lease(task, lease_ms)
  local till = math.min(clock + lease_ms, task.deadline)
  redis.call('ZADD', key.task_leases, till, task.id)
  return till - clock
end

-- What becomes of a claim that a heartbeat lists.
local function keep_claim(id, token, node)
  local task = read_task(id)
  if task and task.status == 'cancelled' and task.token == token then return 'cancelled' end
  if not task or task.node ~= node or not holds(task, token) then return 'revoked' end
  renew_lease(task, task.lease_ms)
  return 'renewed'
end

-- Renews all that a node holds, and appends to a reply what it held: how many, then each with what
-- became of it and how long its lease is now. Those that it lost since it last asked are among them.
-- The longest lease, in milliseconds.
local function renew_all(reply, node)
  redis.call('HSET', key.node(node), 'renews_all', 1)
  local at, longest = #reply + 1, 0
  reply[at] = 0
  local function say(id, state, lease_ms)
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = id, state, lease_ms
    reply[at] = reply[at] + 1
  end
  for _, id in ipairs(redis.call('SRANDMEMBER', key.claims(node), CONCURRENT_TASKS_MAX)) do
    local task = read_task(id)
    if holds(task, task and task.token) then
      local lease_ms = renew_lease(task, task.lease_ms)
      longest = math.max(longest, lease_ms)
      say(id, 'renewed', lease_ms)
    end
  end
  local lost = redis.call('HGETALL', key.lost_claims(node))
  for i = 1, #lost, 2 do say(lost[i], lost[i + 1], 0) end
  if #lost > 0 then redis.call('DEL', key.lost_claims(node)) end
  return longest
end

-- Why a token cannot be used; nil if it can. One that is stale is so for whoever had it, also where the
-- task is somebody else's by now.
local function claim_refusal(task, token, caller)
  if not task then return 'not_found' end
  if not holds(task, token) then
    redis.call('HINCRBY', key.cluster, 'fenced', 1)
    count_event('n', 1)
    return 'fenced'
  end
  if caller ~= '' and redis.call('HGET', key.node(task.node), 'owner') ~= caller then
    return 'forbidden'
  end
  return nil
end

-- Takes some tasks whose time has come into the queue; nobody waits for the monitor alone.
local function promote_due(most)
  local due = redis.call('ZRANGEBYSCORE', key.delayed_tasks, '-inf', clock, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    redis.call('ZREM', key.delayed_tasks, id)
    local task = read_task(id)
    if task and (task.status == 'scheduled' or task.status == 'pending') then
      if enqueue(task) then move_task(task, 'pending', 'due') end
    end
  end
  return #due
end

function keep_apart(part)
  redis.call('HSET', key.task(part[1]), 'answered', now)
  return { part[1], redis.call('HGET', key.task(part[1]), 'seq'), part[2] }
end

function read_apart(part)
  local is_there = redis.call('HGET', key.task(part[1]), 'seq') == part[2]
  return is_there and part_of_task(part[1], part[3])
    or redis.call('HGET', key.answered(part[2]), part[3])
end

local function leave_answered(task)
  local answered = redis.call('HGET', key.task(task.id), 'answered')
  if not answered then return end
  redis.call('HSET', key.answered(task.seq), 'spec', part_of_task(task.id, 'spec'), 'result',
    part_of_task(task.id, 'result') or '')
  redis.call('PEXPIREAT', key.answered(task.seq), string.format('%.0f', answered + ANSWERED_KEPT_MS))
end

-- Appends a task to a reply: id, then its fields (nil for none). Returns at least how many bytes it
-- has as JSON, where an error's control characters take six each; false if there is none to show.
local TASK_FIELDS = { 'owner', 'status', 'spec', 'wants', 'priority', 'assigned_node',
  'submitted_at', 'scheduled_at', 'started_at', 'completed_at', 'timeout_ms', 'retry_count',
  'max_retries', 'user_id', 'result', 'error', 'session_id', 'message_id', 'progress', 'wait',
  'group', 'usage', 'paid' }

local function append_task(reply, id)
  local row = redis.call('HMGET', key.task(id), unpack(TASK_FIELDS))
  if not row[2] or row[2] == 'draft' then return false end
  if not row[3] then
    local large = redis.call('HMGET', key.task_large(id), 'spec', 'result', 'error', 'usage')
    row[3], row[15], row[16], row[22] = large[1], row[15] or large[2], row[16] or large[3], row[22] or large[4]
  end
  local n, bytes = #reply + 1, 700
  reply[n] = id
  apart[n + 3] = { id, 'spec' }
  if row[2] == 'completed' and row[15] then apart[n + 15] = { id, 'result' } end
  for i = 1, #TASK_FIELDS do
    reply[n + i] = row[i]
    if row[i] then bytes = bytes + #row[i] end
  end
  if row[16] then bytes = bytes + 5 * #row[16] end
  return bytes
end

-- About how many bytes a waiting task has, without reading it.
local function bytes_of_task(id)
  local task = key.task(id)
  local large = key.task_large(id)
  return 1000 + redis.call('HSTRLEN', task, 'spec') + redis.call('HSTRLEN', task, 'wants')
    + redis.call('HSTRLEN', large, 'spec') + redis.call('HSTRLEN', large, 'checkpoint')
    + redis.call('HSTRLEN', large, 'resume')
    + 6 * redis.call('HSTRLEN', task, 'error')
end

-- A group goes with its last task. One that takes further tasks ends with it, and those that follow it,
-- or have not heard of its end, hear of it all the same (task/release).
local function forget_in_group(task)
  local group = task.group
  redis.call('ZREM', key.group_tasks(group), task.id)
  if redis.call('EXISTS', key.group_tasks(group)) == 1 then return end
  seal_group(group)
  redis.call('DEL', key.group(group), key.group_watchers(group))
end

-- Forgets a task that has ended, or never began.
local function forget_task(task)
  leave_answered(task)
  unlist_words(task)
  if task.waits then forget_waits(task) end
  if task.unmet then redis.call('DEL', key.task_after(task.id)) end
  if task.group then forget_in_group(task) end
  -- Its log lies elsewhere; whoever tells messages of claims removes it.
  if task.logged then redis.call('ZADD', key.claims_over, now, '@' .. task.id .. '/' .. task.seq) end
  redis.call('DEL', key.task(task.id), key.task_large(task.id))
  if task.bytes then redis.call('HINCRBY', key.cluster, 'ended_bytes', -task.bytes) end
  redis.call('ZREM', key.task_list, task.id)
  redis.call('ZREM', key.tasks_by_status(task.status), task.id)
  redis.call('ZREM', key.tasks_by_owner(task.owner), task.id)
  if task.node ~= '' then redis.call('ZREM', key.tasks_by_node(task.node), task.id) end
  if task.user ~= '' then redis.call('ZREM', key.tasks_by_user(task.user), task.id) end
  if task.session ~= '' then redis.call('ZREM', key.tasks_by_session(task.session), task.id) end
  redis.call('ZREM', key.ended_tasks, task.id)
  redis.call('ZREM', key.kept_tasks, task.id)
  unlist_death(task)
  redis.call('ZREM', key.unsettled_tasks, task.id)
end
