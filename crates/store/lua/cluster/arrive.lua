-- Looks which process of Redis answers, before anything else is asked over a new connection. Another one
-- than before may hold fewer data than what was given out on them (a replica that took the place of its
-- primary, a server that lost the end of its file): then numbers go on far above any that may have been
-- given out, nobody leads any longer, and readers of events are told. Claims and incarnations that the
-- data hold stay good. Where an event that was seen is missing, and the data are older than what a
-- failover loses, they do not (lua/cluster/void.lua).
--
-- KEYS[1]  the cluster partition
-- ARGV     trusts: flag         Whoever asks runs this server itself, which loses nothing when it restarts.
--          era: int             The last era that it knows; 0 for none.
--          seen: text?          The youngest event that it has seen.
-- Returns  ok(Arrived)
-- Emits    store_changed, restored, leader_changed
-- full: runs
-- include: era

local id, begun = this_process()
local row = redis.call('HMGET', key.cluster, 'server', 'era')
local known, told = tonumber(row[2] or nil) or 0, tonumber(era)
local reply = { 'ok', 0, row[2] or '0' }
begun = math.max(begun, known + 1, told + 1)

-- Until when the data were served. Event ids may be ahead of the clock, so that the last one counts, too.
local function last_served()
  local youngest = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
  return math.max(tonumber(clock_row[2]) or 0, youngest and id_parts(youngest[1]) or 0)
end

local is_lost, served_until = is_missing(seen), last_served()
if is_lost and (row[1] == id or id_parts(seen) - served_until > FAILOVER_LOSS_MS_MAX) then
  begin_void(id, begun, '', seen)
  reply[2] = 3
elseif is_lost or told > known then
  -- An event, or the beginning of an era, that the data do not know of.
  reply[2] = 2
elseif row[1] ~= id then
  local is_new = not row[1] and redis.call('EXISTS', key.cluster) == 0
  reply[2] = (is_new or trusts == '1') and 1 or 2
end
if reply[2] == 1 then
  redis.call('HSET', key.cluster, 'server', id, 'era', string.format('%.0f', begun))
elseif reply[2] == 2 then
  local common, event_id = end_history('', served_until)
  begun = math.max(begun, told + ERA_MARGIN)
  tell_store_changed(row[1] or '', id, common, event_id)
  begin_era(id, begun, 'store_changed')
end
if reply[2] > 0 then reply[3] = string.format('%.0f', begun) end
return reply
