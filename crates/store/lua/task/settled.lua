-- Notes that a task's message has heard of its end, and that what was reserved for it is paid or released;
-- or that this has to wait.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
--          paid: int?           What was paid for it, in millionths.
--          later: flag          It was not to be done: it is looked at again in a minute.
-- Returns  ok
-- full: runs
-- include: clock

if later == '1' then
  redis.call('ZADD', key.unsettled_tasks, 'XX', clock + UNPAID_AGAIN_MS, task_id)
  return { 'ok' }
end
redis.call('ZREM', key.unsettled_tasks, task_id)
if redis.call('EXISTS', key.task(task_id)) == 0 then return { 'ok' } end
if paid ~= '' then redis.call('HSET', key.task(task_id), 'paid', paid) end
redis.call('HDEL', key.task(task_id), 'content')
redis.call('HDEL', key.task_large(task_id), 'content')
return { 'ok' }
