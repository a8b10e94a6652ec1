-- Reads the cluster's event log after a cursor, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 cursor: an event id, or '0' · 4 limit
-- Returns  'ok', id of the oldest event kept if older ones were trimmed (''), then 4 for each
--          event: id, type, at, payload (JSON)

local function oldest_after_trimming()
  if redis.call('EXISTS', key.events) == 0 then return '' end
  local facts = {}
  local info = redis.call('XINFO', 'STREAM', key.events)
  for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end
  if facts['entries-added'] == facts['length'] then return '' end
  return facts['first-entry'] and facts['first-entry'][1] or ''
end

local reply = { 'ok', oldest_after_trimming() }
local from = ARGV[3] == '0' and '-' or '(' .. ARGV[3]
for _, event in ipairs(redis.call('XRANGE', key.events, from, '+', 'COUNT', ARGV[4])) do
  local n = #reply
  local fields = event[2]
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = event[1], fields[2], fields[4], fields[6]
end
return reply
