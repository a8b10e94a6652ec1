-- Notes on a node how many messages wait under its name, for its heartbeats. Under the name of an
-- agent they are the agent's. And on senders how much of their mail is still there.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 node · 4 depth ('' to leave it) · then for each sender whose mail there has changed:
--          sender, bytes of it that are still there
-- Returns  'ok'
-- full: runs
-- include: now

for i = 5, #ARGV, 2 do
  local sent, sender = key.mail_sent(ARGV[i]), ARGV[i]
  local known = tonumber(redis.call('HGET', sent, ARGV[3]) or 0)
  local left = tonumber(ARGV[i + 1])
  redis.call('HINCRBY', key.usage(sender), 'mail_bytes', left - known)
  if left == 0 then
    redis.call('HDEL', sent, ARGV[3])
    redis.call('ZREM', key.mail_sent_at(sender), ARGV[3])
  else
    redis.call('HSET', sent, ARGV[3], left)
    redis.call('ZADD', key.mail_sent_at(sender), now, ARGV[3])
  end
end
local row = redis.call('HMGET', key.node(ARGV[3]), 'status', 'own_name')
if ARGV[4] ~= '' and row[1] and row[2] ~= '0' then
  redis.call('HSET', key.node(ARGV[3]), 'inbox', ARGV[4], 'mailed', 1)
end
return { 'ok' }
