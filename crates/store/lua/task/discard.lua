-- Forgets a draft whose message cannot be made. Those that wait for it do so no longer (task/release).
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok
-- full: runs
-- include: queue

redis.call('ZREM', key.draft_tasks, task_id)
local row = redis.call('HMGET', key.task(task_id), 'status', 'owner', 'counted', 'session_id', 'followed')
if row[1] == 'draft' then
  redis.call('DEL', key.task(task_id), key.task_large(task_id), key.task_after(task_id))
  redis.call('ZREM', key.unfinished_in_session(row[4]), task_id)
  if row[5] then redis.call('ZADD', key.releasing, clock, 'n/' .. task_id .. '/cancelled') end
  count_unfinished({ owner = row[2], counted = row[3] }, -1)
end
return { 'ok' }
