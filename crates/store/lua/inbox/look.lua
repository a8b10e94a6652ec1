-- Shows what waits in an inbox without taking it.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 limit · 5 1 to take in old clients' mail
-- Returns  'ok', depth, then 4 for each message: id, attempts, members (JSON without braces) or what
--          an old client pushed, 1 if it is the latter else 0
-- include: now clock inbox

settle_leases(100)
if ARGV[5] == '1' then take_in_old_mail(100) end
keep_inbox()
local reply = { 'ok', depth() }
for _, id in ipairs(redis.call('ZRANGE', key.waiting(agent), 0, tonumber(ARGV[4]) - 1)) do
  append_mail(reply, id)
end
return reply
