-- Notes on a node how many messages wait for the agent of that id, for its heartbeats. An agent
-- that is no node has none. And on senders how much of their mail is still there.
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
if ARGV[4] ~= '' and redis.call('EXISTS', key.node(ARGV[3])) == 1 then
  redis.call('HSET', key.node(ARGV[3]), 'inbox', ARGV[4])
end
return { 'ok' }
