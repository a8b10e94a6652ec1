-- Lists intents, newest first, by any of agent, asset and status.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose they are; empty: anybody's.
--          asset: text          On what; empty: on anything.
--          status: text         A status; empty: any.
--          limit: int           Most intents.
--          below: int?          Where the page before said to go on.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Intent>)
-- include: intent walk

local indexes = {}
if agent_id ~= '' then indexes[#indexes + 1] = key.intents_by_agent(agent_id) end
if asset ~= '' then indexes[#indexes + 1] = key.intents_by_asset(asset) end
if status ~= '' then indexes[#indexes + 1] = key.intents_by_status(status) end
if #indexes == 0 then indexes[1] = key.intents end
return walk(indexes, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_intent)
