-- Lists the waits of a task that are kept, latest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  ok(Vec<Wait>)
--          not_found
-- include: claim wait budget

local task = read_task(task_id)
if not task or is_foreign(task.owner, writer) then return { 'not_found' } end
local reply = { 'ok' }
local ids = redis.call('LRANGE', key.task_waits(task_id), 0, -1)
for i = #ids, 1, -1 do
  if add(reply, append_wait, ids[i]) == false then break end
end
return reply
