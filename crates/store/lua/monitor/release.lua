-- Hands the monitor's lease back, so that another host need not wait for it to run out.
--
-- KEYS[1]  the cluster partition
-- ARGV     host: text           The host.
--          term: int            The term that it was given.
-- Returns  ok
--          fenced               It was not the monitor any more.
-- full: runs

local row = redis.call('HMGET', key.monitor, 'holder', 'term')
if row[1] ~= host or row[2] ~= term then return { 'fenced' } end
redis.call('HSET', key.monitor, 'holder', '', 'until', 0)
return { 'ok' }
