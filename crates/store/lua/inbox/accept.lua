-- Accepts a proposal, whoever holds it under a lease: it is acknowledged, and what is left to do is
-- kept with it. The first acceptance stands.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4 message · 5 executor · 6 owner of the tasks
-- Returns  'ok', depth, then as inbox/ack · 'accepted' · 'declined' · 'not_found'
-- include: now clock expiring once inbox

local id = ARGV[4]

local function run()
  local record = key.proposal(agent, id)
  local state = redis.call('HGET', record, 'state')
  if state then return { state == 'declined' and 'declined' or 'accepted' } end
  local mail = redis.call('HMGET', key.mail(agent), id, id .. ':old')
  if not mail[1] then return { 'not_found' } end
  -- Old clients' mail is numbered, and an inbox that has expired begins anew: the time tells one
  -- proposal from another of the same name.
  local seed = string.sub(redis.sha1hex(agent .. '/' .. id .. '/' .. micros .. '/' .. now), 1, 32)
  redis.call('HSET', record, 'state', 'accepted', 'seed', seed, 'executor', ARGV[5],
    'owner', ARGV[6], 'mail', mail[1])
  if mail[2] then redis.call('HSET', record, 'old', 1) end
  redis.call('PEXPIRE', record, INBOX_TTL_MS)
  for _, place in ipairs({ key.waiting(agent), key.leased(agent) }) do
    redis.call('ZREM', place, id)
  end
  forget(id, dig_up(id))
  keep_inbox()
  return append_changed({ 'ok', depth() })
end

return once(run)
