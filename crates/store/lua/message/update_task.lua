-- Moves a task within a message on. A result takes the place of the placeholder, under the same
-- content id; without one, or after a failure, the placeholder goes. [`TaskChange::call`] makes it.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  In which message.
--          author: Author<'a>   Who asks.
--          task_id: text        The task.
--          status: text         How it goes on: `processing completed failed`.
--          progress: Progress   How much is done, while it runs.
--          shown: text?         The result as the snapshot holds it: its members as JSON without braces.
--          whole: text?         The whole result if that is not it, in the same way.
--          error: Reason<'a>    Why it failed.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
-- Returns  Written<TaskUpdated>:
--          ok(sequence: int, status: text, progress: f64)
--                               Done: the last event's number, and how the task stands.
--          unknown_task         The message has no such task.
--          ended(status: text)  It had ended before, in that way.
-- Emits    task_progress · task_completed, content_updated · task_failed
-- include: content

local named = '{"task_id":"' .. task_id .. '"'

local function drop_placeholder(cid)
  redis.call('HDEL', key.blocks(mid), cid)
  redis.call('LREM', key.order(mid), 1, cid)
end

local message = read_message()
local refused = refusal(message, author)
if refused then return { refused } end
local known = redis.call('HMGET', key.tasks(mid), task_id .. ':status', task_id .. ':content',
  task_id .. ':progress')
if not known[1] then return { 'unknown_task' } end
if known[1] ~= 'processing' then return { 'ended', known[1] } end

if status == 'completed' then
  progress = '1'
elseif progress == '' then
  progress = known[3]
end
redis.call('HSET', key.tasks(mid), task_id .. ':status', status, task_id .. ':progress', progress)
if status == 'processing' then
  emit(message, 'task_progress', named .. ',"status":"processing","progress":' .. progress .. '}')
elseif status == 'completed' then
  emit(message, 'task_completed', named .. ',"status":"completed","progress":1.0}')
  if shown ~= '' then
    emit(message, 'content_updated', put_block(known[2], shown, whole, true))
  else
    drop_placeholder(known[2])
  end
else
  drop_placeholder(known[2])
  emit(message, 'task_failed', named .. ',"status":"failed","error":' .. error .. '}')
end
settle(message, ttl_ms, status ~= 'processing')
return { 'ok', message.sequence, status, progress }
