-- Asks for the secret of which ids are made: nobody who does not know it can tell an id before it is
-- made. It lies with the data, so that it is the same for all hosts, at all times. Who asks first brings
-- it.
--
-- KEYS[1]  the cluster partition
-- Call     AskSecret
-- ARGV     fresh: text          What it is to be if there is none yet: a random text.
-- Returns  ok(text)
-- full: runs

local secret = redis.call('HGET', key.cluster, 'secret')
if not secret then
  secret = fresh
  redis.call('HSET', key.cluster, 'secret', secret)
end
return { 'ok', secret }
