-- Takes money out of the ledger.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          agent_id: AgentId    Whose it was.
--          amount: Money        How much.
-- Returns  Moved<Changed>
-- include: records once hold audit

amount = tonumber(amount)

local function run()
  if not is_agent(agent_id) then return { 'not_found' } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(agent_id) < amount then return { 'insufficient', int(available(agent_id)) } end
  redis.call('HINCRBY', key.account(agent_id), 'deposited', int(-amount))
  local before = facts('balance', decimal(account(agent_id).balance))
  local reply = { 'ok', post('withdrawal', '', '', { agent_id, -amount, EXTERNAL, amount }, {}) }
  audit('money.withdraw', agent_id, before, facts('balance', decimal(account(agent_id).balance),
    'amount', decimal(amount), 'entry', tonumber(reply[2])))
  append_account(reply, agent_id)
  return reply
end

return once(run)
