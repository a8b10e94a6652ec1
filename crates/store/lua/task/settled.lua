-- Notes that a session task's message has heard of its end.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok'
-- full: runs

redis.call('ZREM', key.unsettled_tasks, ARGV[3])
redis.call('HDEL', key.task(ARGV[3]), 'content')
return { 'ok' }
