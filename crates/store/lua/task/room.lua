-- Says whether an owner has room for tasks that are large, before they are sent: Redis hashes all that a script
-- is given, and serves nobody meanwhile. What takes the tasks decides.
--
-- KEYS[1]  the cluster partition
-- ARGV     owner: text        Who submits them.
--          digest: text       Names the request (include once); empty: it has no idempotency key.
--          tasks_max: int     Most unfinished tasks of the owner.
--          bytes_max: int     Most bytes of them.
--          bytes: int         How many these have at least.
--          task_ids: TaskId*  Their ids.
-- Returns  ok
-- include: quota

if digest ~= '' and redis.call('EXISTS', key.idempotency(digest)) == 1 then return { 'ok' } end
for _, id in ipairs(task_ids) do
  if redis.call('EXISTS', key.task(id)) == 1 then return { 'ok' } end
end
local usage = redis.call('HMGET', key.usage(owner), 'tasks', 'task_bytes')
return over_quota('quota_tasks', tasks_max, tonumber(usage[1] or 0), #task_ids)
  or over_quota('quota_task_bytes', bytes_max, tonumber(usage[2] or 0), bytes)
  or { 'ok' }
