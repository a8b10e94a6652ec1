-- Hands the monitor's lease back, so that another host need not wait for it to run out.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 host · 4 term
-- Returns  'ok' · 'fenced'
-- full: runs

local row = redis.call('HMGET', key.monitor, 'holder', 'term')
if row[1] ~= ARGV[3] or row[2] ~= ARGV[4] then return { 'fenced' } end
redis.call('HSET', key.monitor, 'holder', '', 'until', 0)
return { 'ok' }
