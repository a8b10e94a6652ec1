-- Says whether an agent has a name, or had it before it was removed.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 name
-- Returns  'ok', 1 or 0

local is_agent = redis.call('EXISTS', key.agent(ARGV[3])) == 1
  or redis.call('HEXISTS', key.removed_agents, ARGV[3]) == 1
return { 'ok', is_agent and 1 or 0 }
