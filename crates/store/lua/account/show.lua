-- What an agent has. Holds whose time is over do not count, whether the monitor has come or not.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Which agent.
-- Returns  ok(Balance)
--          not_found
-- include: hold

if not is_agent(agent_id) then return { 'not_found' } end
settle_holds(HOLDS_ON_THE_WAY)
local reply = { 'ok' }
append_account(reply, agent_id)
return reply
