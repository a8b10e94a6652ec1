-- Lists the tries of a task that are kept, oldest first.
--
-- KEYS[1]  the cluster partition
-- Call     ListAttempts
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Tries)
--          not_found
-- include: claim

local task = read_task(task_id)
if not task then return { 'not_found' } end
local reply = { 'ok', task.owner, redis.call('HGET', key.task(task_id), 'runner') or '' }
local function append(try)
  for i = 1, 7 do reply[#reply + 1] = try[i] end
end
local kept = redis.call('HGET', key.task_large(task_id), 'attempts')
for _, try in ipairs(kept and cjson.decode(kept) or {}) do append(try) end
if task.node ~= '' and task.started then
  local row = redis.call('HMGET', key.task(task_id), 'completed_at', 'tried', 'used')
  local spent = row[2] or spent_in_try(row[3], task.token)
  local is_bad = task.status == 'failed' or task.status == 'timeout'
  append({ task.attempt or 1, task.node, task.started, row[1] or '', task.status,
    is_bad and first_line(part_of_task(task_id, 'error'), ERROR_LINE_BYTES) or '', spent })
end
return reply
