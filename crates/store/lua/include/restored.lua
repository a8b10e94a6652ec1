-- Where a history of the event log ended: its last event, the event that tells so, and whether it was not
-- known then that anything is missing. Ids between the two were given out on data that are no more.
local function restored_places()
  local kept = redis.call('HGET', key.cluster, 'restored')
  return kept and cmsgpack.unpack(kept) or {}
end

-- The time and the number in an event's id.
local function id_parts(id)
  local ms, n = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms or 0), tonumber(n or 0)
end

local function is_later(one, other)
  local ms, n = id_parts(one)
  local other_ms, other_n = id_parts(other)
  if ms ~= other_ms then return ms > other_ms end
  return n > other_n
end

-- The last event of the history before, if an id was given out on data that are no more; nil else. Of
-- several the earliest counts: what follows it is read again. `if_void`: only where all that was given
-- out on them was made void.
local function restored_behind(id, if_void)
  for _, place in ipairs(restored_places()) do
    local counts = not (if_void and place[3])
    if counts and is_later(id, place[1]) and is_later(place[2], id) then return place[1] end
  end
end

-- Whether an event is missing that the log reaches back to, and nobody has noticed yet.
local function is_missing(seen)
  if seen == '' or seen == '0-0' or #redis.call('XRANGE', key.events, seen, seen) == 1 then
    return false
  end
  local first = redis.call('XRANGE', key.events, '-', '+', 'COUNT', 1)[1]
  return not (first and is_later(first[1], seen)) and not restored_behind(seen, true)
end
