-- Reads an agent.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Which.
-- Returns  ok(Agent)
--          not_found
-- include: agent

local reply = { 'ok' }
if not append_agent(reply, agent_id) then return { 'not_found' } end
return reply
