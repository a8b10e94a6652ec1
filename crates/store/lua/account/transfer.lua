-- Moves money from one agent to another.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          settlement_id: text  Id of the settlement.
--          from_agent: AgentId  Who pays.
--          to_agent: AgentId    Who is paid: another.
--          amount: Money        How much.
--          memo: text           The payer's words.
-- Returns  Moved<Transferred>
-- include: records once hold audit

amount = tonumber(amount)

local function run()
  if not is_agent(from_agent) then return { 'not_found', from_agent } end
  if not is_agent(to_agent) then return { 'not_found', to_agent } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(from_agent) < amount then return { 'insufficient', int(available(from_agent)) } end
  local legs = { from_agent, -amount, to_agent, amount }
  local before = facts('balance', decimal(account(from_agent).balance))
  local entry = post('transfer', settlement_id, memo, legs, {})
  audit('money.transfer', from_agent, before, facts('balance', decimal(account(from_agent).balance),
    'to_agent', to_agent, 'amount', decimal(amount), 'entry', tonumber(entry)))
  return { 'ok', entry, now }
end

return once(run)
