-- Removes an agent that has nothing left: its keys are unknown from here on, and its id and its
-- wallet are nobody else's, ever. The journal keeps what concerned it.
--
-- KEYS[1]  the ledger partition
-- ARGV     audit
--          agent_id: AgentId    Which.
-- Returns  Removed:
--          ok                   It is gone, and its keys are unknown.
--          not_found            There is no such agent.
--          has(text*)           It still has these: any of `money holds intents positions`.
-- full: runs
-- include: key audit

if redis.call('EXISTS', key.agent(agent_id)) == 0 then return { 'not_found' } end

local function has_any(of_agent, of_status)
  return redis.call('ZINTERCARD', 2, of_agent, of_status, 'LIMIT', 1) == 1
end

local kept = { 'has' }
local has = redis.call('HMGET', key.account(agent_id), 'balance', 'locked')
if (tonumber(has[1]) or 0) ~= 0 then kept[#kept + 1] = 'money' end
if has_any(key.holds_by_agent(agent_id), key.holds_by_status('pending')) then
  kept[#kept + 1] = 'holds'
end
if has_any(key.intents_by_agent(agent_id), key.intents_by_status('open')) then
  kept[#kept + 1] = 'intents'
end
if redis.call('ZCARD', key.open_positions(agent_id)) > 0 then kept[#kept + 1] = 'positions' end
if #kept == 1 and (tonumber(has[2]) or 0) ~= 0 then kept[#kept + 1] = 'money' end
if #kept > 1 then return kept end

local before = facts_of(key.agent(agent_id), 'display_name t wallet_address t status t')
prune_keys(agent_id)
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent_id), 0, -1)) do forget_key(id) end
redis.call('DEL', key.agent(agent_id), key.agent_keys(agent_id), key.account(agent_id),
  key.balance(agent_id))
redis.call('ZREM', key.agents, agent_id)
redis.call('HSET', key.removed_agents, agent_id, now)
audit('agent.remove', agent_id, before)
return { 'ok' }
