-- Reads the cluster's event log after a cursor, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 cursor: an event id, or '0' · 4 limit
-- Returns  'ok', id of the oldest event kept if older ones were trimmed (''), id of the youngest
--          ever ('0-0' if there was none), 1 if there are more events else 0, last event of the copy
--          that was restored if the cursor was given out on data that are no more (''; the events
--          are those after it), then 4 for each event: id, type, at, payload (JSON)
-- include: budget restored

-- The oldest event that is kept, if older ones were trimmed, and the youngest that there ever was.
local function ends()
  if redis.call('EXISTS', key.events) == 0 then return '', '0-0' end
  local facts = {}
  local info = redis.call('XINFO', 'STREAM', key.events)
  for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end
  local youngest = facts['last-generated-id']
  if facts['entries-added'] == facts['length'] then return '', youngest end
  return facts['first-entry'] and facts['first-entry'][1] or '', youngest
end

local oldest, youngest = ends()
local restored = restored_behind(ARGV[3]) or ''
local reply = { 'ok', oldest, youngest, 0, restored }
local from = ARGV[3] == '0' and '-' or '(' .. (restored ~= '' and restored or ARGV[3])
local left = tonumber(ARGV[4])
while true do
  local batch = math.min(left + 1, EVENTS_READ)
  local found = redis.call('XRANGE', key.events, from, '+', 'COUNT', batch)
  for _, event in ipairs(found) do
    local n, fields = #reply, event[2]
    if left == 0 or not has_room(200 + #fields[6]) then
      reply[4] = 1
      return reply
    end
    left = left - 1
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
      event[1], fields[2], fields[4], fields[6]
  end
  if #found < batch then return reply end
  from = '(' .. found[#found][1]
end
