-- Starts a task within a message: a placeholder block stands where its result will be.
--
-- KEYS[1]  the message partition
-- ARGV     1-2 idempotency · 3 message · 4 author (include message) · 5 task · 6 its type
--          7 parameters (JSON object) · 8 content id · 9 placeholder (JSON) · 10 TTL in ms
--          11 most blocks
-- Returns  'ok', sequence · 'exists' · 'too_many_blocks' · 'not_found' · 'forbidden' · 'complete'
--          'needs_token' · 'claim_over'
-- Emits    task_started, content_added
-- include: now rfc3339 expiring once message

local task, task_type, parameters, cid = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

local function run()
  local message = read_message()
  local refused = refusal(message, ARGV[4])
  if refused then return { refused } end
  if redis.call('HEXISTS', key.tasks(mid), task .. ':status') == 1
    or redis.call('HEXISTS', key.blocks(mid), cid) == 1 then
    return { 'exists' }
  end
  if redis.call('LLEN', key.order(mid)) >= tonumber(ARGV[11]) then
    return { 'too_many_blocks' }
  end
  redis.call('HSET', key.tasks(mid), task .. ':status', 'processing', task .. ':type', task_type,
    task .. ':content', cid, task .. ':progress', '0', task .. ':parameters', parameters)
  redis.call('HSET', key.blocks(mid), cid, ARGV[9])
  redis.call('RPUSH', key.order(mid), cid)
  -- The parameters are an object; what it holds stands beside the task's own members.
  local extra = parameters == '{}' and '' or ',' .. string.sub(parameters, 2, -2)
  if #extra > EVENT_BYTES_MAX - 1024 then extra = ',"ref":"/api/v1/messages/' .. mid .. '"' end
  emit(message, 'task_started', '{"task_id":"' .. task .. '","task_type":' .. quoted(task_type)
    .. ',"status":"processing","progress":0.0' .. extra .. '}')
  emit(message, 'content_added', ARGV[9])
  settle(message, ARGV[10])
  return { 'ok', message.sequence }
end

return once(run)
