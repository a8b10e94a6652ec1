-- Counts the cluster. The cost does not grow with the number of nodes.
--
-- KEYS[1]  the cluster partition
-- Call     ShowHealth
-- ARGV     timeout_ms: int      After how long a node counts as silent, in milliseconds.
--          period_ms: int       The longest heartbeat period, in milliseconds.
-- Returns  ok(Health)
-- include: timeout

local longest_ms, capacity, running =
  longest_timeout(tonumber(timeout_ms), 'capacity', 'running')
local before = '(' .. string.format('%.0f', clock - longest_ms)
-- Each node has one status.
local reply = { 'ok', now, 0 }
for i, status in ipairs({ 'online', 'offline', 'busy', 'maintenance', 'error' }) do
  reply[3 + i] = redis.call('ZCARD', key.by_status(status))
  reply[3] = reply[3] + reply[3 + i]
end
reply[9] = redis.call('ZCOUNT', key.alive, '-inf', before)
reply[10] = tonumber(capacity) or 0
reply[11] = tonumber(running) or 0
reply[12] = redis.call('ZCARD', key.alive)
local since = tonumber(redis.call('HGET', key.guard, string.format('%.0f', longest_ms)))
reply[13] = since and clock - since < tonumber(period_ms) and 1 or 0
if reply[9] > 0 and is_just_back(longest_ms) then reply[13] = 2 end
-- It counts those with it that will be silent within a heartbeat period.
local late_before = '(' .. string.format('%.0f',
  clock - longest_ms + math.floor(longest_ms / 9))
reply[14] = reply[13] == 1 and redis.call('ZCOUNT', key.alive, '-inf', late_before) or reply[9]
return reply
