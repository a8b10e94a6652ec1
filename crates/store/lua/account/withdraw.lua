-- Takes money out of the ledger.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 agent · 4 amount in millionths
-- Returns  'ok', number of the entry, balance, locked · 'not_found'
--          'insufficient', what is available
-- include: now clock records once journal hold

local agent, amount = ARGV[3], tonumber(ARGV[4])

local function run()
  if not is_agent(agent) then return { 'not_found' } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(agent) < amount then return { 'insufficient', int(available(agent)) } end
  redis.call('HINCRBY', key.account(agent), 'deposited', int(-amount))
  local reply = { 'ok', post('withdrawal', '', '', { agent, -amount, EXTERNAL, amount }, {}) }
  append_account(reply, agent)
  return reply
end

return once(run)
