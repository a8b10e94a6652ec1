-- Waits: a task that waits for an answer, a signal or a time holds no slot and no lease (contract.md §5).
-- include: ending

-- The part of a wait's hash that the scripts work with.
local function read_wait(id)
  local row = redis.call('HMGET', key.wait(id), 'task', 'kind', 'state', 'owner', 'asker', 'name',
    'need', 'by_other', 'on_expire', 'options', 'assignees', 'answers', 'unmet')
  if not row[1] then return nil end
  return { id = id, task = row[1], kind = row[2], state = row[3], owner = row[4], asker = row[5],
    name = row[6], need = tonumber(row[7]), by_other = row[8] == '1', on_expire = row[9],
    options = cjson.decode(row[10]), assignees = cjson.decode(row[11]), answers = row[12],
    unmet = tonumber(row[13]) }
end

-- Ends a wait, whatever becomes of its task.
local function close_wait(wait, state)
  redis.call('HSET', key.wait(wait.id), 'state', state, 'ended_at', now)
  redis.call('ZREM', key.open_waits, wait.id)
  redis.call('ZREM', key.due_waits, wait.id)
  redis.call('ZREM', key.waits_of(wait.owner), wait.id)
  for _, agent in ipairs(wait.assignees) do redis.call('ZREM', key.waits_of(agent), wait.id) end
  if wait.unmet then redis.call('DEL', key.task_after(wait.id)) end
end

-- What a task gets with its next claim; `rest` is members of a JSON object, each with a comma before it.
local function resume_of(id, kind, rest)
  return '{"wait_id":"' .. id .. '","kind":"' .. kind .. '"' .. rest .. ',"at":"' .. rfc3339_ms(now)
    .. '"}'
end

-- Puts a task that waited back into the queue, in its old place.
local function wake(task, resume, reason)
  redis.call('HSET', key.task_large(task.id), 'resume', resume)
  redis.call('HSET', key.task(task.id), 'wait', '')
  enqueue(task)
  move_task(task, 'pending', reason)
end

-- Takes the first signal of a name that a task has got; nil if there is none.
local function take_signal(task, name)
  local list = key.task_signals(task.id)
  for _, packed in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local signal = cmsgpack.unpack(packed)
    if signal[1] == name then
      redis.call('LREM', list, 1, packed)
      recount(task, -#packed)
      return signal
    end
  end
end

-- What a signal brings to whoever waited for it.
local function resume_of_signal(id, name, payload)
  return resume_of(id, 'signal', ',"name":' .. quoted(name) .. ',"value":'
    .. (payload == '' and 'null' or payload))
end

-- Ends a wait whose time is over.
local function expire_wait(id)
  redis.call('ZREM', key.due_waits, id)
  local wait = read_wait(id)
  local task = wait and wait.state == 'open' and read_task(wait.task)
  if not task or task.status ~= 'waiting' then return end
  close_wait(wait, wait.kind == 'sleep' and 'over' or 'expired')
  if wait.on_expire == 'fail' then
    redis.call('HSET', key.task(task.id), 'error', 'Nobody answered in time.')
    end_task(task, 'failed', 'expired')
  elseif wait.kind == 'sleep' then
    wake(task, resume_of(id, 'sleep', ''), 'due')
  elseif wait.kind == 'approval' then
    wake(task, resume_of(id, 'approval', ',"decision":"' .. wait.on_expire .. '","expired":true'),
      'expired')
  else
    wake(task, resume_of(id, wait.kind, ',"expired":true'), 'expired')
  end
end

-- Ends some waits whose time is over. How many.
local function expire_waits(most)
  local over = redis.call('ZRANGEBYSCORE', key.due_waits, '-inf', clock, 'LIMIT', 0, most)
  for _, id in ipairs(over) do expire_wait(id) end
  return #over
end

-- What a task waits for is not waited for any more, since the task ends.
local function stop_waiting(task)
  local wait = task.wait and read_wait(task.wait)
  if wait then close_wait(wait, 'cancelled') end
end

-- Forgets the waits of a task that is forgotten.
local function forget_waits(task)
  for _, id in ipairs(redis.call('LRANGE', key.task_waits(task.id), 0, -1)) do
    redis.call('DEL', key.wait(id))
  end
  redis.call('DEL', key.task_waits(task.id), key.task_signals(task.id))
end

-- Who may look at a wait: whose task it is, and who may answer; '' may look at all.
local function may_see(wait, writer)
  if writer == '' or wait.owner == writer then return true end
  for _, agent in ipairs(wait.assignees) do
    if agent == writer then return true end
  end
  return false
end

local WAIT_FIELDS = { 'task', 'kind', 'state', 'owner', 'name', 'need', 'by_other', 'on_expire',
  'assignees', 'details', 'asked_at', 'expires_at', 'ended_at', 'answers' }

-- Appends a wait to a reply. Returns at least how many bytes it has as JSON; false if there is none.
local function append_wait(reply, id)
  local row = redis.call('HMGET', key.wait(id), unpack(WAIT_FIELDS))
  if not row[1] then return false end
  local n, bytes = #reply + 1, 500
  reply[n] = id
  for i = 1, #WAIT_FIELDS do
    reply[n + i] = row[i]
    if row[i] then bytes = bytes + #row[i] end
  end
  return bytes
end
