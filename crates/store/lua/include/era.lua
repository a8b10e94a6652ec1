-- Where the data may be fewer than what was given out on them: numbers go on far above any that may have
-- been given out, nobody leads any longer, and readers of the event log are told where its history ends.
-- An era is what the data were served as by one process of Redis; its number grows.
-- include: leader restored

-- Which process of Redis this is, and the era that it begins now. Eras begin at ten for each millisecond
-- since 1970: no counter that began at 0 gets there, and one that was raised before has to give out ten
-- in each millisecond since. The process adds a part of its own, so that two servers of which one's
-- clock is behind do not begin at the same number. They stay below 10^14, which Lua writes out.
local function this_process()
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  return id, now * 10 + 1 + tonumber(string.sub(id, 1, 5), 16)
end

local function raised(number, era)
  return string.format('%.0f', math.max((tonumber(number) or 0) + ERA_MARGIN, era))
end

local function raise(hash, field, era)
  redis.call('HSET', hash, field, raised(redis.call('HGET', hash, field), era))
end

-- The last event that both histories have.
local function last_common(seen)
  if redis.call('EXISTS', key.events) == 0 then return '0-0' end
  if seen ~= '' then
    local before = redis.call('XREVRANGE', key.events, '(' .. seen, '-', 'COUNT', 1)[1]
    return before and before[1] or '0-0'
  end
  local info = redis.call('XINFO', 'STREAM', key.events)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

-- Notes where the history of the event log ends. Returns its last event, and the id of the event that is
-- to tell of it, which is above all that may have been given out. `served_until`: nothing is made void.
local function end_history(seen, served_until)
  local common = last_common(seen)
  local youngest = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
  local ms = now
  for _, id in ipairs({ common, youngest and youngest[1] or common, seen }) do
    ms = math.max(ms, (id_parts(id)))
  end
  local id = string.format('%.0f-0', ms + RESTORED_EVENT_MARGIN_MS)
  local known = restored_places()
  known[#known + 1] = { common, id, served_until }
  if #known > RESTORATIONS_MAX then table.remove(known, 1) end
  redis.call('HSET', key.cluster, 'restored', cmsgpack.pack(known))
  return common, id
end

-- Whoever has led is not known for sure, nor that it leads no longer.
local function end_leases(era, reason)
  local row = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  redis.call('HSET', key.leader, 'floor', raised(math.max(tonumber(row[2] or nil) or 0,
    tonumber(redis.call('HGET', key.leader, 'floor') or nil) or 0), era))
  if read_lock() then redis.call('DEL', key.leader_lock) end
  keep_former(math.max(tonumber(row[3] or nil) or 0, clock + OLD_LOCK_MS))
  if row[1] then redis.call('HSET', key.leader, 'ended', 'revoked', 'lock', '') end
  if row[1] and not row[4] then
    remember('lost', row[1], row[2], reason)
    tell_leader_changed('', row[2], row[1], reason)
  end
  raise(key.monitor, 'term', era)
  redis.call('HSET', key.monitor, 'holder', '', 'until', 0)
end

-- Who holds a lock is not known for sure either. Those that were given out are void by their terms; each
-- may be held for as long as the longest lease that is known of.
local function end_locks()
  redis.call('HSET', key.cluster, 'locks_floor', redis.call('HGET', key.cluster, 'locks'), 'locks_former',
    string.format('%.0f', math.max(tonumber(redis.call('HGET', key.cluster, 'locks_until') or nil) or 0,
      clock + OLD_LOCK_MS)))
end

-- Raises what is given out in this partition, and ends leases.
local function begin_era(id, era, reason)
  -- Where Redis was replaced under hosts that run, the clock may stand where it was long ago.
  keep_clock()
  for _, counter in ipairs({ 'claims', 'incarnation', 'sequence', 'tasks', 'session_sequence',
    'deaths', 'locks' }) do
    raise(key.cluster, counter, era)
  end
  end_leases(era, reason)
  end_locks()
  redis.call('HSET', key.cluster, 'server', id, 'era', string.format('%.0f', era))
end

-- Makes void what was given out on data that are known to be no more. Tasks and nodes are gone through
-- afterwards (lua/cluster/void.lua).
local function begin_void(id, era, taken_at, seen)
  tell_restored(taken_at, end_history(seen))
  begin_era(id, era, 'restored')
  local row = redis.call('HMGET', key.cluster, 'claims', 'incarnation')
  redis.call('HSET', key.cluster, 'voiding', cmsgpack.pack({ '-inf', '-inf', row[1], row[2] }))
end
