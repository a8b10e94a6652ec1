-- Shows the dead letters of an inbox.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 limit
-- Returns  'ok', how many there are, then 4 for each message: id, attempts, members (JSON without
--          braces) or what an old client pushed, 1 if it is the latter else 0
-- include: now clock inbox

settle_leases(100)
keep_inbox()
local reply = { 'ok', redis.call('ZCARD', key.dead(agent)) }
for _, id in ipairs(redis.call('ZRANGE', key.dead(agent), 0, tonumber(ARGV[4]) - 1)) do
  append_mail(reply, id)
end
return reply
