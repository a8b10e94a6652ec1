-- Pays what a hold reserves, or a part of it, and releases the rest.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 hold · 4 owner to check ('' for anybody's) · 5 amount in millionths
--          ('' for all) · 6 to whom
-- Returns  'ok', hold row · 'not_found' · 'unknown_agent' · 'forbidden' · 'state', status
--          'self': it would be paid to whom it was taken from · 'over', what it reserves
--          'altered': it is not what the journal says of it, and pays nothing
-- include: now clock records once journal hold

local id, to = ARGV[3], ARGV[6]

local function run()
  local hold, refusal = pending_hold(id, ARGV[4])
  if not hold then return refusal end
  if not is_agent(to) then return { 'unknown_agent' } end
  if to == hold.agent then return { 'self' } end
  local amount = tonumber(ARGV[5]) or hold.amount
  if amount > hold.amount then return { 'over', int(hold.amount) } end
  post('hold_posted', id, '', { hold.agent, -amount, to, amount }, { hold.agent, -hold.amount })
  end_hold(hold, 'posted', amount)
  redis.call('HSET', key.hold(id), 'to_agent', to)
  local reply = { 'ok' }
  append_hold(reply, id)
  return reply
end

return once(run)
