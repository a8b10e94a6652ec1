-- The cluster's version and counts.
--
-- KEYS[1]  the cluster partition
-- Call     ShowState
-- ARGV     none
-- Returns  ok(State)
-- include: queue

local sums = redis.call('HMGET', key.cluster, 'version', 'updated_at')
local reply = { 'ok', tonumber(sums[1]) or 0, sums[2] or '', redis.call('ZCARD', key.nodes) }
for i, status in ipairs({ 'online', 'offline', 'busy', 'maintenance', 'error' }) do
  reply[4 + i] = redis.call('ZCARD', key.by_status(status))
end
reply[10] = redis.call('ZCARD', key.task_list)
for _, status in ipairs(TASK_STATUSES) do
  reply[#reply + 1] = redis.call('ZCARD', key.tasks_by_status(status))
end
reply[#reply + 1] = tonumber(redis.call('GET', key.schema)) or 0
return reply
