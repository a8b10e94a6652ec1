-- Notes on a node how many messages wait for the agent of that id, for its heartbeats; on senders how
-- much of their mail is left there; and that there is such an inbox.
--
-- KEYS[1]  the cluster partition
-- Call     NoteDepth
-- ARGV     agent: text          The agent, if it is a node.
--          depth: int           How many wait.
--          shares: &'a [Share]*  How much is left of senders whose mail there has changed.
-- Returns  ok
-- full: runs
-- include: now inboxes

for at = shares, #ARGV, 2 do
  local sender, left = unpack(ARGV, at, at + 1)
  local sent = key.mail_sent(sender)
  local known = tonumber(redis.call('HGET', sent, agent) or 0)
  redis.call('HINCRBY', key.usage(sender), 'mail_bytes', tonumber(left) - known)
  if left == '0' then
    redis.call('HDEL', sent, agent)
    redis.call('ZREM', key.mail_sent_at(sender), agent)
  else
    redis.call('HSET', sent, agent, left)
    redis.call('ZADD', key.mail_sent_at(sender), now, agent)
  end
end
note_inbox(agent)
local row = redis.call('HMGET', key.node(agent), 'status', 'own_name')
if row[1] and row[2] ~= '0' then redis.call('HSET', key.node(agent), 'inbox', depth, 'mailed', 1) end
return { 'ok' }
