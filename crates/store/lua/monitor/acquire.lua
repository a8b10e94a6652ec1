-- Makes a host the monitor, or renews its lease. Several hosts may run; one of them monitors.
--
-- KEYS[1]  the cluster partition
-- ARGV     host: text           The host that asks: different for each process.
--          ttl_ms: int          For how long, in milliseconds: some ticks.
--          seen: text?          The youngest event that the host has seen.
--          took_ms: int?        How long its last round took, where it has done one as the monitor.
-- Returns  ok(Lease)
-- full: runs
-- include: clock restored

-- Also for those who are refused: when the monitor is dead, they are the ones who move the clock
-- on by which its lease runs out.
keep_clock()

local youngest = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
local to_void = is_missing(seen) and 1 or redis.call('HEXISTS', key.cluster, 'voiding') * 2
youngest = youngest and youngest[1] or '0-0'

local row = redis.call('HMGET', key.monitor, 'holder', 'term', 'until')
local holder, term = row[1] or '', tonumber(row[2]) or 0
if holder ~= '' and holder ~= host and tonumber(row[3]) > clock then
  return { 'ok', 0, holder, term, youngest, to_void }
end
if holder ~= host then
  term = term + 1
  redis.call('HDEL', key.monitor, 'ticks', 'ticked_at', 'took_ms')
elseif took_ms ~= '' then
  redis.call('HINCRBY', key.monitor, 'ticks', 1)
  redis.call('HSET', key.monitor, 'ticked_at', now, 'took_ms', took_ms)
end
redis.call('HSET', key.monitor, 'holder', host, 'term', term, 'until', clock + ttl_ms)
return { 'ok', 1, host, term, youngest, to_void }
