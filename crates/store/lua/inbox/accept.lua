-- Accepts a proposal, whoever holds it under a lease: it is acknowledged, and what is left to do is
-- kept with it. The first acceptance stands. In proposal.rs `Note` comes before this, `settle` after.
--
-- KEYS[1]  the inbox partition
-- ARGV     once
--          agent: text          Whose inbox.
--          message_id: MailId   Which message.
--          executor: text       Who is to do it.
--          owner: text          Whose tasks its sub-tasks become.
-- Returns  Accepted:
--          ok(depth: int, shares: Share*)
--                               It is accepted now: how many messages wait in the inbox still, and what
--                               is left there of who sent it.
--          accepted             It was before.
--          declined             It was acknowledged and not accepted.
--          not_found            There is no such message.
-- include: expiring once inbox

local function run()
  local record = key.proposal(inbox, message_id)
  local state = redis.call('HGET', record, 'state')
  if state then return { state == 'declined' and 'declined' or 'accepted' } end
  local mail = redis.call('HMGET', key.mail(inbox), message_id, message_id .. ':old')
  if not mail[1] then return { 'not_found' } end
  -- Old clients' mail is numbered, and an inbox that has expired begins anew: the time tells one
  -- proposal from another of the same name.
  local name = inbox .. '/' .. message_id
  local seed = string.sub(redis.sha1hex(name .. '/' .. micros .. '/' .. now), 1, 32)
  redis.call('HSET', record, 'state', 'accepted', 'seed', seed, 'executor', executor,
    'owner', owner, 'mail', mail[1])
  if mail[2] then redis.call('HSET', record, 'old', 1) end
  redis.call('PEXPIRE', record, INBOX_TTL_MS)
  for _, place in ipairs({ key.waiting(inbox), key.leased(inbox) }) do
    redis.call('ZREM', place, message_id)
  end
  forget(message_id, dig_up(message_id))
  keep_inbox()
  return append_changed({ 'ok', depth() })
end

return once(run)
