-- Reads the end of the cluster's event log, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most events.
-- Returns  ok(Events)
-- include: budget

local function newest(most)
  local taken, to = {}, '+'
  while #taken < most do
    local batch = math.min(most - #taken, EVENTS_READ)
    local found = redis.call('XREVRANGE', key.events, to, '-', 'COUNT', batch)
    for _, event in ipairs(found) do
      if not has_room(200 + #event[2][6]) then return taken end
      taken[#taken + 1] = event
    end
    if #found < batch then break end
    to = '(' .. found[#found][1]
  end
  return taken
end

local taken = newest(tonumber(limit))
local reply = { 'ok', '', taken[1] and taken[1][1] or '0-0', 0, '' }
for i = #taken, 1, -1 do
  local n, fields = #reply, taken[i][2]
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
    taken[i][1], fields[2], fields[4], fields[6]
end
return reply
