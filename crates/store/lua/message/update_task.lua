-- Moves a task within a message on. A result takes the place of the placeholder, under the same
-- content id; without one, or after a failure, the placeholder goes.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 author (include message) · 5 task · 6 status (processing completed failed)
--          7 progress ('' keeps) · 8 result in the snapshot (JSON members, '' for none)
--          9 the whole result if that is not it (JSON members, '') · 10 error (JSON)
--          11 TTL in ms · 12 TTL of the copy for old readers in ms
-- Returns  'ok', sequence, status, progress · 'unknown_task' · 'ended', status · 'not_found'
--          'forbidden' · 'complete'
--          'needs_token' · 'claim_over'
-- Emits    task_progress · task_completed, content_updated · task_failed
-- include: now foreign rfc3339 message content

local task, status = ARGV[5], ARGV[6]
local named = '{"task_id":"' .. task .. '"'

-- A block with a content id in front: the component cannot know it.
local function block(cid, members)
  return '{"content_id":"' .. cid .. '",' .. members .. '}'
end

local function put_result(message, cid)
  local members = ARGV[8]
  if ARGV[9] ~= '' then
    members = members .. ',"ref":"/api/v1/messages/' .. mid .. '/content/' .. cid .. '"'
    keep_whole(cid, block(cid, ARGV[9]), ARGV[12])
  end
  local shown = block(cid, members)
  redis.call('HSET', key.blocks(mid), cid, shown)
  emit(message, 'content_updated', shown)
end

local function drop_placeholder(cid)
  redis.call('HDEL', key.blocks(mid), cid)
  redis.call('LREM', key.order(mid), 1, cid)
end

local message = read_message()
local refused = refusal(message, ARGV[4])
if refused then return { refused } end
local known = redis.call('HMGET', key.tasks(mid), task .. ':status', task .. ':content',
  task .. ':progress')
if not known[1] then return { 'unknown_task' } end
if known[1] ~= 'processing' then return { 'ended', known[1] } end

local progress = status == 'completed' and '1' or ARGV[7] ~= '' and ARGV[7] or known[3]
redis.call('HSET', key.tasks(mid), task .. ':status', status, task .. ':progress', progress)
if status == 'processing' then
  emit(message, 'task_progress', named .. ',"status":"processing","progress":' .. progress .. '}')
elseif status == 'completed' then
  emit(message, 'task_completed', named .. ',"status":"completed","progress":1.0}')
  if ARGV[8] ~= '' then put_result(message, known[2]) else drop_placeholder(known[2]) end
else
  drop_placeholder(known[2])
  emit(message, 'task_failed', named .. ',"status":"failed","error":' .. ARGV[10] .. '}')
end
settle(message, ARGV[11])
return { 'ok', message.sequence, status, progress }
