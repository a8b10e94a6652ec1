-- Says whether an agent has a name, or had it before it was removed.
--
-- KEYS[1]  the ledger partition
-- ARGV     name: text           The name.
-- Returns  ok(flag)

local is_agent = redis.call('EXISTS', key.agent(name)) == 1
  or redis.call('HEXISTS', key.removed_agents, name) == 1
return { 'ok', is_agent and 1 or 0 }
