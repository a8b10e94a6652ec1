-- Counts what somebody is about to send, among all its mail that nobody has acknowledged.
--
-- KEYS[1]  the cluster partition
-- ARGV     sender: text         Who sends.
--          agent: text          To whom.
--          bytes: int           How much, in bytes; less than 0 for what was not sent after all.
--          most: int            Most that it may have lying around.
-- Returns  ok(flag)             Whether the agent is a node, whose heartbeats are told how much waits.
-- include: now quota inboxes

bytes = tonumber(bytes)

local old = redis.call('ZRANGEBYSCORE', key.mail_sent_at(sender), '-inf', now - MAIL_COUNTED_MS,
  'LIMIT', 0, 5)
for _, forgotten in ipairs(old) do
  local gone = redis.call('HGET', key.mail_sent(sender), forgotten) or 0
  redis.call('HINCRBY', key.usage(sender), 'mail_bytes', 0 - gone)
  redis.call('HDEL', key.mail_sent(sender), forgotten)
  redis.call('ZREM', key.mail_sent_at(sender), forgotten)
end

local has = tonumber(redis.call('HGET', key.usage(sender), 'mail_bytes') or 0)
local refused = bytes > 0 and over_quota('quota_mail_bytes', most, has, bytes)
if refused then return refused end
if bytes > 0 then note_inbox(agent) end
-- What came in between has been counted by how much is there; nothing is given back twice. (`-x` would
-- make -0 of nothing, which is no integer to Redis.)
local known = tonumber(redis.call('HGET', key.mail_sent(sender), agent) or 0)
bytes = math.max(bytes, 0 - known)
redis.call('HINCRBY', key.usage(sender), 'mail_bytes', bytes)
if redis.call('HINCRBY', key.mail_sent(sender), agent, bytes) <= 0 then
  redis.call('HDEL', key.mail_sent(sender), agent)
  redis.call('ZREM', key.mail_sent_at(sender), agent)
else
  redis.call('ZADD', key.mail_sent_at(sender), now, agent)
end
return { 'ok', redis.call('EXISTS', key.node(agent)) }
