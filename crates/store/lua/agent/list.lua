-- Lists agents, newest registration first.
--
-- KEYS[1]  the ledger partition
-- ARGV     limit: int           Most agents.
--          below: int?          The number to go on below.
-- Returns  ok(Page<Agent>)
-- include: agent walk

return walk_one(key.agents, nil, { limit, below, LIST_SCAN_MAX }, { 'ok', '' }, append_agent)
