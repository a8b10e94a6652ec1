-- Reads the cluster's event log after a cursor, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 cursor: an event id, or '0' · 4 limit
-- Returns  'ok', id of the oldest event kept ('' for none), then 4 for each event: id, type, at,
--          payload (JSON)

local oldest = redis.call('XRANGE', key.events, '-', '+', 'COUNT', 1)[1]
local reply = { 'ok', oldest and oldest[1] or '' }
local from = ARGV[3] == '0' and '-' or '(' .. ARGV[3]
for _, event in ipairs(redis.call('XRANGE', key.events, from, '+', 'COUNT', ARGV[4])) do
  local n = #reply
  local fields = event[2]
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = event[1], fields[2], fields[4], fields[6]
end
return reply
