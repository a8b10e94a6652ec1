-- Counts tasks.
--
-- KEYS[1]  the cluster partition
-- ARGV     3… statuses
-- Returns  'ok', all, waiting for a node, delayed, dead letters, classes that wait, refused stale
--          tokens, then one for each status
local sums = redis.call('HMGET', key.cluster, 'fenced')
local reply = { 'ok', redis.call('ZCARD', key.task_list), redis.call('ZCARD', key.waiting_tasks),
  redis.call('ZCARD', key.delayed_tasks), redis.call('ZCARD', key.dead_tasks),
  redis.call('HLEN', key.queue_classes), tonumber(sums[1]) or 0 }
for i = 3, #ARGV do
  reply[#reply + 1] = redis.call('ZCARD', key.tasks_by_status(ARGV[i]))
end
return reply
