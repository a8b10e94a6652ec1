-- Lists holds, newest first, by any of agent and status.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose money they reserve; empty: anybody's.
--          status: text         A status; empty: any.
--          limit: int           Most holds.
--          below: int?          Where the page before said to go on.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Hold>)
-- include: hold walk

settle_holds(HOLDS_ON_THE_WAY)
local indexes = {}
if agent_id ~= '' then indexes[#indexes + 1] = key.holds_by_agent(agent_id) end
if status ~= '' then indexes[#indexes + 1] = key.holds_by_status(status) end
if #indexes == 0 then indexes[1] = key.holds end
return walk(indexes, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_hold)
