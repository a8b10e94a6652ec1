-- Lets go of a name that was kept for an agent which was not made after all.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           Which.
-- Returns  ok
-- full: runs

if redis.call('GET', key.name(name)) == 'agent' then
  redis.call('DEL', key.name(name))
  -- Whether it is the node's own has to be found out again.
  if redis.call('HGET', key.node(name), 'own_name') == '0' then
    redis.call('HDEL', key.node(name), 'own_name')
  end
end
return { 'ok' }
