-- Says the secret of which ids are made. Who asks first brings it.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 a random text
-- Returns  'ok', secret
-- full: runs

local secret = redis.call('HGET', key.cluster, 'secret')
if not secret then
  secret = ARGV[3]
  redis.call('HSET', key.cluster, 'secret', secret)
end
return { 'ok', secret }
