-- Reads the numbers of the entries that an agent's index lists, oldest first, as they lie there.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose.
--          after: int           How many to pass over.
--          limit: int           Most numbers.
-- Returns  ok(Numbers)
-- include: foreign

local reply = { 'ok', foreign('LLEN', key.entries_of(agent_id)) or 0 }
local numbers = foreign('LRANGE', key.entries_of(agent_id), after, after + limit - 1)
for _, number in ipairs(numbers or {}) do
  reply[#reply + 1] = string.match(number, '^%d+$') and #number <= 15 and number or '0'
end
return reply
