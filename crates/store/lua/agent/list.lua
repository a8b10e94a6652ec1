-- Lists agents, newest registration first.
--
-- KEYS[1]  the ledger partition
-- ARGV     limit: int           Most agents.
--          below: int?          The number to go on below.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Agent>)
-- include: agent walk

return walk_one(key.agents, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_agent)
