-- Notes that a session task's message has heard of its end.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok
-- full: runs

redis.call('ZREM', key.unsettled_tasks, task_id)
redis.call('HDEL', key.task(task_id), 'content')
redis.call('HDEL', key.task_large(task_id), 'content')
return { 'ok' }
