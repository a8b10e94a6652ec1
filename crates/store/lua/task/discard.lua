-- Forgets a draft whose message cannot be made.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok
-- full: runs
-- include: queue

redis.call('ZREM', key.draft_tasks, task_id)
local row = redis.call('HMGET', key.task(task_id), 'status', 'owner', 'counted')
if row[1] == 'draft' then
  redis.call('DEL', key.task(task_id), key.task_large(task_id))
  count_unfinished({ owner = row[2], counted = row[3] }, -1)
end
return { 'ok' }
