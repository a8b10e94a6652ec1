-- Notes on a node whether its name is its own, or that of an agent. Says nothing while such an agent
-- may just be made.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           Which.
--          is_own: flag         No agent has it.
-- Returns  ok
-- full: runs

if redis.call('EXISTS', key.node(name)) == 1 and redis.call('GET', key.name(name)) ~= 'agent' then
  redis.call('HSET', key.node(name), 'own_name', is_own)
  if is_own == '0' then redis.call('HDEL', key.node(name), 'inbox') end
end
return { 'ok' }
