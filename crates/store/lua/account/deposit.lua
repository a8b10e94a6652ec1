-- Brings money into the ledger.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 agent · 4 amount in millionths
--          5 most that the agent may have brought in and not taken out, in whole units ('' where it is
--          not counted)
-- Returns  'ok', number of the entry, balance, locked · 'not_found' · 'full': the ledger holds all
--          the money that it can · 'quota'
-- include: now clock records once journal hold

local agent, amount = ARGV[3], tonumber(ARGV[4])

local function run()
  if not is_agent(agent) then return { 'not_found' } end
  settle_holds(HOLDS_ON_THE_WAY)
  -- All that agents have came from here, so that no agent can have more either.
  if MONEY_MAX + account(EXTERNAL).balance < amount then return { 'full' } end
  if ARGV[5] ~= '' then
    local net = tonumber(redis.call('HGET', key.account(agent), 'deposited') or 0)
    if net + amount > tonumber(ARGV[5]) * 1e6 then return { 'quota', 'quota_deposits', ARGV[5] } end
    redis.call('HINCRBY', key.account(agent), 'deposited', int(amount))
  end
  local reply = { 'ok', post('deposit', '', '', { EXTERNAL, -amount, agent, amount }, {}) }
  append_account(reply, agent)
  return reply
end

return once(run)
