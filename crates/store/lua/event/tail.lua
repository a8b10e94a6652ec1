-- Reads the end of the cluster's event log, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most events.
--          before: text         Those before this one, which a step has read; empty: up to the last.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Events)
-- include: budget

begin_step(filled)
local left = tonumber(limit)
local to = before == '' and '+' or '(' .. before
-- From the youngest to the oldest.
local taken, is_full = {}, false
while not is_full do
  local batch = math.min(left + 1, EVENTS_READ)
  local found = redis.call('XREVRANGE', key.events, to, '-', 'COUNT', batch)
  for _, event in ipairs(found) do
    is_full = left == 0 or is_step_full() or not has_room(200 + #event[2][6])
    if is_full then break end
    left, to = left - 1, '(' .. event[1]
    taken[#taken + 1] = event
  end
  if #found < batch then break end
end
local reply = { 'ok', '', taken[1] and taken[1][1] or '0-0', '', is_full and 1 or 0, spent }
for i = #taken, 1, -1 do
  local n, fields = #reply, taken[i][2]
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
    taken[i][1], fields[2], fields[4], fields[6]
end
return reply
