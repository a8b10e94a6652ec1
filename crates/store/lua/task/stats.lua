-- Counts tasks, and what those that have ended take.
--
-- KEYS[1]  the cluster partition
-- Call     Count
-- ARGV     kept_ms: int         How long those are kept that do not say it, in milliseconds.
-- Returns  ok(Counts)
-- include: queue tally

local sums = redis.call('HMGET', key.cluster, 'fenced', 'ended_bytes')
local reply = { 'ok', redis.call('ZCARD', key.task_list), redis.call('ZCARD', key.waiting_tasks),
  redis.call('ZCARD', key.delayed_tasks), redis.call('ZCARD', key.dead_tasks),
  redis.call('HLEN', key.queue_classes), tonumber(sums[1]) or 0 }
for _, status in ipairs(TASK_STATUSES) do
  reply[#reply + 1] = redis.call('ZCARD', key.tasks_by_status(status))
end
local ended = redis.call('ZCARD', key.ended_tasks) + redis.call('ZCARD', key.kept_tasks)
local n = #reply
reply[n + 1] = ended
reply[n + 2] = ended * ENDED_TASK_BYTES + (tonumber(sums[2]) or 0)
reply[n + 3] = redis.call('ZRANGE', key.ended_tasks, 0, 0, 'WITHSCORES')[2] or ''
reply[n + 4] = redis.call('ZCOUNT', key.ended_tasks, '-inf', string.format('%.0f', now - kept_ms))
  + redis.call('ZCOUNT', key.kept_tasks, '-inf', string.format('%.0f', now))
reply[n + 5] = redis.call('HLEN', key.parked_classes)
reply[n + 6] = all_counted()
return reply
