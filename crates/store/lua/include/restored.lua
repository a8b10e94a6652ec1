-- Where an older copy of the data was restored: pairs of the last event of the copy and the event that
-- tells of the restoration. Ids between the two were given out on data that are no more.
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

-- The last event of the copy, if an id was given out on data that are no more; nil else. Of several
-- the earliest counts: what follows it is read again.
local function restored_behind(id)
  for _, place in ipairs(restored_places()) do
    if is_later(id, place[1]) and is_later(place[2], id) then return place[1] end
  end
end
