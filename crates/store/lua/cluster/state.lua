-- The cluster's version and counts.
--
-- KEYS[1]  the cluster partition
-- ARGV     3… task statuses
-- Returns  'ok', version, when it last changed ('' never), nodes, online, offline, busy,
--          maintenance, error, all tasks, then tasks of each status, then the version of the data
--          (0 if nothing was written yet)

local sums = redis.call('HMGET', key.cluster, 'version', 'updated_at')
local reply = { 'ok', tonumber(sums[1]) or 0, sums[2] or '', redis.call('ZCARD', key.nodes) }
for i, status in ipairs({ 'online', 'offline', 'busy', 'maintenance', 'error' }) do
  reply[4 + i] = redis.call('ZCARD', key.by_status(status))
end
reply[10] = redis.call('ZCARD', key.task_list)
for i = 3, #ARGV do reply[#reply + 1] = redis.call('ZCARD', key.tasks_by_status(ARGV[i])) end
reply[#reply + 1] = tonumber(redis.call('GET', key.schema)) or 0
return reply
