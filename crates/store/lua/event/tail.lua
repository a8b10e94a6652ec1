-- Reads the end of the cluster's event log, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most events.
--          before: text         Those before this one, which a step has read; empty: up to the last.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Events)
-- include: budget

local to = before == '' and '+' or '(' .. before
spent = tonumber(filled)
local found = redis.call('XREVRANGE', key.events, to, '-', 'COUNT', limit)
local first = 0
for i = 1, #found do
  if not has_room(200 + #found[i][2][6]) then break end
  first = i
end
local reply = { 'ok', '', found[1] and found[1][1] or '0-0', '', 0, spent }
for i = first, 1, -1 do
  local n, fields = #reply, found[i][2]
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
    found[i][1], fields[2], fields[4], fields[6]
end
return reply
