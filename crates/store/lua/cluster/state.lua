-- The cluster's version and counts.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  'ok', version, when it last changed ('' never), nodes, online, offline, busy,
--          maintenance, error, running tasks

local sums = redis.call('HMGET', key.cluster, 'version', 'updated_at', 'running')
local reply = { 'ok', tonumber(sums[1]) or 0, sums[2] or '', redis.call('ZCARD', key.nodes) }
for i, status in ipairs({ 'online', 'offline', 'busy', 'maintenance', 'error' }) do
  reply[4 + i] = redis.call('ZCARD', key.by_status(status))
end
reply[10] = tonumber(sums[3]) or 0
return reply
