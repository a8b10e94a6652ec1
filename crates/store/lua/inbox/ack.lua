-- Acknowledges messages: they are gone for good. A receipt is `<message>.<attempt>`, so that one
-- whose lease has run out acknowledges nothing.
--
-- KEYS[1]  the inbox partition
-- Call     Acknowledge
-- ARGV     once
--          agent: text          Whose inbox.
--          receipts: text*      What the receiver was given.
-- Returns  ok(Acknowledged)
-- full: runs
-- include: expiring once inbox

-- A proposal that is acknowledged and was not accepted is declined.
local function decline(id)
  if redis.call('HEXISTS', key.mail(inbox), id .. ':proposal') == 0 then return end
  redis.call('HSET', key.proposal(inbox, id), 'state', 'declined')
  redis.call('PEXPIRE', key.proposal(inbox, id), INBOX_TTL_MS)
end

local function run()
  settle_leases(100)
  local acknowledged, unknown = 0, 0
  for _, receipt in ipairs(receipts) do
    local id, attempt = string.match(receipt, '^(.+)%.(%d+)$')
    if id and redis.call('ZSCORE', key.leased(inbox), id)
      and redis.call('HGET', key.mail(inbox), id .. ':attempts') == attempt then
      redis.call('ZREM', key.leased(inbox), id)
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
