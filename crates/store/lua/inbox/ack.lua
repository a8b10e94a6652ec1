-- Acknowledges messages: they are gone for good. A receipt is `<message>.<attempt>`, so that one
-- whose lease has run out acknowledges nothing.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4… receipts
-- Returns  'ok', acknowledged, unknown, depth, then for each sender of what is gone: sender, bytes of
--          its mail that are still here
-- full: runs
-- include: now clock expiring once inbox

-- A proposal that is acknowledged and was not accepted is declined.
local function decline(id)
  if redis.call('HEXISTS', key.mail(agent), id .. ':proposal') == 0 then return end
  redis.call('HSET', key.proposal(agent, id), 'state', 'declined')
  redis.call('PEXPIRE', key.proposal(agent, id), INBOX_TTL_MS)
end

local function run()
  settle_leases(100)
  local acknowledged, unknown = 0, 0
  for i = 4, #ARGV do
    local id, attempt = string.match(ARGV[i], '^(.+)%.(%d+)$')
    if id and redis.call('ZSCORE', key.leased(agent), id)
      and redis.call('HGET', key.mail(agent), id .. ':attempts') == attempt then
      redis.call('ZREM', key.leased(agent), id)
      decline(id)
      forget(id)
      acknowledged = acknowledged + 1
    else
      unknown = unknown + 1
    end
  end
  keep_inbox()
  return append_changed({ 'ok', acknowledged, unknown, depth() })
end

return once(run)
