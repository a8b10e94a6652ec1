-- Counts tasks.
--
-- KEYS[1]  the cluster partition
-- Call     Count
-- ARGV     none
-- Returns  ok(Counts)
-- include: queue

local sums = redis.call('HMGET', key.cluster, 'fenced')
local reply = { 'ok', redis.call('ZCARD', key.task_list), redis.call('ZCARD', key.waiting_tasks),
  redis.call('ZCARD', key.delayed_tasks), redis.call('ZCARD', key.dead_tasks),
  redis.call('HLEN', key.queue_classes), tonumber(sums[1]) or 0 }
for _, status in ipairs(TASK_STATUSES) do
  reply[#reply + 1] = redis.call('ZCARD', key.tasks_by_status(status))
end
return reply
