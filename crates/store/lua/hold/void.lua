-- Releases what a hold reserves.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 hold · 4 owner to check ('' for anybody's)
-- Returns  'ok', hold row · 'not_found' · 'forbidden' · 'state', status
--          'altered': it is not what the journal says of it, and releases nothing
-- full: runs
-- include: now clock records once journal hold

local id = ARGV[3]

local function run()
  local hold, refusal = pending_hold(id, ARGV[4])
  if not hold then return refusal end
  post('hold_voided', id, '', {}, { hold.agent, -hold.amount })
  end_hold(hold, 'voided', 0)
  local reply = { 'ok' }
  append_hold(reply, id)
  return reply
end

return once(run)
