-- Notes on a node how many messages wait under its name, for its heartbeats. Under the name of an
-- agent they are the agent's.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 node · 4 depth
-- Returns  'ok'

local row = redis.call('HMGET', key.node(ARGV[3]), 'status', 'own_name')
if row[1] and row[2] ~= '0' then
  redis.call('HSET', key.node(ARGV[3]), 'inbox', ARGV[4])
end
return { 'ok' }
