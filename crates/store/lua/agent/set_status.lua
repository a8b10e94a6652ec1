-- Suspends an agent, or lets it go on: all its keys with it, in this one step.
--
-- KEYS[1]  the ledger partition
-- ARGV     audit
--          agent_id: AgentId    Which.
--          status: text         `active` or `suspended`.
-- Returns  ok(Agent)
--          not_found
-- full: runs
-- include: key agent audit

if redis.call('EXISTS', key.agent(agent_id)) == 0 then return { 'not_found' } end
prune_keys(agent_id)
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent_id), 0, -1)) do
  local row = redis.call('HMGET', key.agent_key(id), 'digest', 'expires_at')
  -- Old readers know a key by its digest alone.
  if status == 'suspended' then
    redis.call('HSET', key.agent_key(id), 'suspended', 1)
    redis.call('DEL', key.api_key(row[1]))
  else
    redis.call('HDEL', key.agent_key(id), 'suspended')
    redis.call('SET', key.api_key(row[1]), agent_id)
    if row[2] then redis.call('PEXPIREAT', key.api_key(row[1]), row[2]) end
  end
end
local before = redis.call('HGET', key.agent(agent_id), 'status')
redis.call('HSET', key.agent(agent_id), 'status', status)
if before ~= status then
  audit(status == 'suspended' and 'agent.suspend' or 'agent.resume', agent_id, facts('status', before),
    facts('status', status))
end
local reply = { 'ok' }
append_agent(reply, agent_id)
return reply
