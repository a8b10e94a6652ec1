-- Reads an agent.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent
-- Returns  'ok', agent row · 'not_found'
-- include: agent

local reply = { 'ok' }
if not append_agent(reply, ARGV[3]) then return { 'not_found' } end
return reply
