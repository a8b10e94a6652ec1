-- Reads the cluster's event log after a cursor, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     after: Cursor        Where to begin.
--          limit: int           Most events.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Events)
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
local restored = restored_behind(after) or ''
local reply = { 'ok', oldest, youngest, restored, 0, 0 }
local from = after == '0' and '-' or '(' .. (restored ~= '' and restored or after)
local left = tonumber(limit)
begin_step(filled)
while true do
  local batch = math.min(left + 1, EVENTS_READ)
  local found = redis.call('XRANGE', key.events, from, '+', 'COUNT', batch)
  for _, event in ipairs(found) do
    local n, fields = #reply, event[2]
    if left == 0 or is_step_full() or not has_room(200 + #fields[6]) then
      reply[5], reply[6] = 1, spent
      return reply
    end
    left = left - 1
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
      event[1], fields[2], fields[4], fields[6]
  end
  if #found < batch then break end
  from = '(' .. found[#found][1]
end
reply[6] = spent
return reply
