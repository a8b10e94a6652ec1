-- Brings money into the ledger.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          agent_id: AgentId    Whose it will be.
--          amount: Money        How much.
--          most: int?           Most that the agent may have brought in and not taken out, in whole
--                               units; `None`: as much as it likes.
-- Returns  Moved<Changed>
-- include: records once hold audit

amount = tonumber(amount)

local function run()
  if not is_agent(agent_id) then return { 'not_found' } end
  settle_holds(HOLDS_ON_THE_WAY)
  -- All that agents have came from here, so that no agent can have more either.
  if MONEY_MAX + account(EXTERNAL).balance < amount then return { 'full' } end
  if most ~= '' then
    local net = tonumber(redis.call('HGET', key.account(agent_id), 'deposited') or 0)
    if net + amount > tonumber(most) * 1e6 then return { 'quota', 'quota_deposits', most } end
    redis.call('HINCRBY', key.account(agent_id), 'deposited', int(amount))
  end
  local before = facts('balance', decimal(account(agent_id).balance))
  local reply = { 'ok', post('deposit', '', '', { EXTERNAL, -amount, agent_id, amount }, {}) }
  audit('money.deposit', agent_id, before, facts('balance', decimal(account(agent_id).balance),
    'amount', decimal(amount), 'entry', tonumber(reply[2])))
  append_account(reply, agent_id)
  return reply
end

return once(run)
