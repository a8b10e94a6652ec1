-- Where a history of the event log ended: its last event, the event that tells so, and, unless all that
-- was given out was made void then, until when the data were known to be served. Ids between the two
-- events were given out on data that are no more.
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
-- several the earliest counts: what follows it is read again.
local function restored_behind(id)
  for _, place in ipairs(restored_places()) do
    if is_later(id, place[1]) and is_later(place[2], id) then return place[1] end
  end
end

-- Whether it is known that an event is no more, and what had to follow has. Numbers that jumped are enough
-- for what a failover loses; for data that are older, all is made void.
local function is_noticed(id)
  local ms = id_parts(id)
  for _, place in ipairs(restored_places()) do
    local is_enough = not place[3] or ms - place[3] <= FAILOVER_LOSS_MS_MAX
    if is_enough and is_later(id, place[1]) and is_later(place[2], id) then return true end
  end
  return false
end

-- Whether an event is missing that the log reaches back to, and nobody has noticed yet.
local function is_missing(id)
  if id == '' or id == '0-0' or #redis.call('XRANGE', key.events, id, id) == 1 then return false end
  local first = redis.call('XRANGE', key.events, '-', '+', 'COUNT', 1)[1]
  return not (first and is_later(first[1], id)) and not is_noticed(id)
end
