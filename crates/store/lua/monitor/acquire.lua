-- Makes a host the monitor, or renews its lease. Several hosts may run; one of them monitors.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 host · 4 lease in ms
-- Returns  'ok', 1 if the host is the monitor now else 0, monitor, term
-- full: runs
-- include: now clock

-- Also for those who are refused: when the monitor is dead, they are the ones who move the clock
-- on by which its lease runs out.
keep_clock()

local host, ttl_ms = ARGV[3], tonumber(ARGV[4])
local row = redis.call('HMGET', key.monitor, 'holder', 'term', 'until')
local holder, term = row[1] or '', tonumber(row[2]) or 0
if holder ~= '' and holder ~= host and tonumber(row[3]) > clock then
  return { 'ok', 0, holder, term }
end
if holder ~= host then term = term + 1 end
redis.call('HSET', key.monitor, 'holder', host, 'term', term, 'until', clock + ttl_ms)
return { 'ok', 1, host, term }
