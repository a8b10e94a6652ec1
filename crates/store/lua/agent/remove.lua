-- Removes an agent that has nothing left: its keys are unknown from here on, and its id and its
-- wallet are nobody else's, ever. The journal keeps what concerned it.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent
-- Returns  'ok' · 'not_found'
--          'has', what keeps it: any of 'money', 'holds', 'intents', 'positions'
-- full: runs
-- include: now key

local agent = ARGV[3]
if redis.call('EXISTS', key.agent(agent)) == 0 then return { 'not_found' } end

local function has_any(of_agent, of_status)
  return redis.call('ZINTERCARD', 2, of_agent, of_status, 'LIMIT', 1) == 1
end

local kept = { 'has' }
local has = redis.call('HMGET', key.account(agent), 'balance', 'locked')
if (tonumber(has[1]) or 0) ~= 0 then kept[#kept + 1] = 'money' end
if has_any(key.holds_by_agent(agent), key.holds_by_status('pending')) then
  kept[#kept + 1] = 'holds'
end
if has_any(key.intents_by_agent(agent), key.intents_by_status('open')) then
  kept[#kept + 1] = 'intents'
end
if redis.call('ZCARD', key.open_positions(agent)) > 0 then kept[#kept + 1] = 'positions' end
if #kept == 1 and (tonumber(has[2]) or 0) ~= 0 then kept[#kept + 1] = 'money' end
if #kept > 1 then return kept end

prune_keys(agent)
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent), 0, -1)) do forget_key(id) end
redis.call('DEL', key.agent(agent), key.agent_keys(agent), key.account(agent), key.balance(agent))
redis.call('ZREM', key.agents, agent)
redis.call('HSET', key.removed_agents, agent, now)
return { 'ok' }
