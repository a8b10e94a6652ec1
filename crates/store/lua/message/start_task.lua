-- Starts a task within a message: a placeholder block stands where its result will be.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  In which message.
--          author: Author<'a>   Who asks.
--          task_id: text        The task.
--          task_type: text      What it does.
--          parameters: text     A JSON object of what else is to be shown of it.
--          content_id: ContentId  The placeholder's id, which its result keeps.
--          placeholder: text    The placeholder: its members as JSON, without braces.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
-- Returns  Written<Added>
-- Emits    task_started, content_added
-- include: expiring once content

local function run()
  local message = read_message()
  local refused = refusal(message, author)
  if refused then return { refused } end
  if redis.call('HEXISTS', key.tasks(mid), task_id .. ':status') == 1
    or redis.call('HEXISTS', key.blocks(mid), content_id) == 1 then
    return { 'exists' }
  end
  if redis.call('LLEN', key.order(mid)) >= BLOCKS_MAX then return { 'too_many_blocks' } end
  redis.call('HSET', key.tasks(mid), task_id .. ':status', 'processing',
    task_id .. ':type', task_type, task_id .. ':content', content_id, task_id .. ':progress', '0',
    task_id .. ':parameters', parameters)
  local block = put_block(content_id, placeholder, '', false)
  redis.call('RPUSH', key.order(mid), content_id)
  -- The parameters are an object; what it holds stands beside the task's own members.
  local extra = parameters == '{}' and '' or ',' .. string.sub(parameters, 2, -2)
  if #extra > EVENT_BYTES_MAX - 1024 then extra = ',"ref":"/api/v1/messages/' .. mid .. '"' end
  emit(message, 'task_started', '{"task_id":"' .. task_id .. '","task_type":' .. quoted(task_type)
    .. ',"status":"processing","progress":0.0' .. extra .. '}')
  emit(message, 'content_added', block)
  settle(message, ttl_ms, true)
  return { 'ok', message.sequence }
end

return once(run)
