-- Counts what is in an inbox, without a look at each. What was received, and not acknowledged in time,
-- waits again, if nobody has put it back yet.
--
-- KEYS[1]  the inbox partition
-- ARGV     agent: text          Whose inbox.
-- Returns  ok(Counted)
-- include: clock

local inbox = ARGV[3]
local late = redis.call('ZCOUNT', key.leased(inbox), '-inf', clock)

-- When the first of each priority was sent; what old clients push does not say it at its end.
local oldest = ''
for priority = 0, 2 do
  local from = string.format('%.0f', priority * 1e13)
  local till = string.format('(%.0f', (priority + 1) * 1e13)
  local id = redis.call('ZRANGEBYSCORE', key.waiting(inbox), from, till, 'LIMIT', 0, 1)[1]
  local mail = id and redis.call('HGET', key.mail(inbox), id)
  local sent = mail and string.match(string.sub(mail, -40), ',"timestamp":"([^"]+)"$')
  if sent and (oldest == '' or sent < oldest) then oldest = sent end
end

return {
  'ok', redis.call('EXISTS', key.inbox(inbox)),
  redis.call('ZCARD', key.waiting(inbox)) + late, redis.call('ZCARD', key.leased(inbox)) - late,
  redis.call('ZCARD', key.dead(inbox)), oldest,
}
