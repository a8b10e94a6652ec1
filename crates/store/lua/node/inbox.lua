-- Notes on a node how many messages wait for the agent of that id, for its heartbeats. An agent
-- that is no node has none.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 node · 4 depth
-- Returns  'ok'

if redis.call('EXISTS', key.node(ARGV[3])) == 1 then
  redis.call('HSET', key.node(ARGV[3]), 'inbox', ARGV[4])
end
return { 'ok' }
