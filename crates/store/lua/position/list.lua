-- Lists an agent's positions, newest first.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose.
--          with_closed: flag    Those that have ended, too.
--          limit: int           Most positions.
--          below: int?          Where the page before said to go on.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Positions)
--          not_found
-- include: position walk

if redis.call('EXISTS', key.agent(agent_id)) == 0 then return { 'not_found' } end
local index = key.open_positions(agent_id)
if with_closed == '1' then index = key.positions_by_agent(agent_id) end
local reply = { 'ok', '', 0, redis.call('ZCARD', index) }
return walk({ index }, { limit, below, LIST_SCAN_MAX, filled = filled }, reply, append_position)
