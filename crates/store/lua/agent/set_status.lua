-- Suspends an agent, or lets it go on: all its keys with it, in this one step.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent · 4 status (active suspended)
-- Returns  'ok', agent row · 'not_found'
-- full: runs
-- include: key agent

local agent, status = ARGV[3], ARGV[4]
if redis.call('EXISTS', key.agent(agent)) == 0 then return { 'not_found' } end
prune_keys(agent)
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent), 0, -1)) do
  local row = redis.call('HMGET', key.agent_key(id), 'digest', 'expires_at')
  -- Old readers know a key by its digest alone.
  if status == 'suspended' then
    redis.call('HSET', key.agent_key(id), 'suspended', 1)
    redis.call('DEL', key.api_key(row[1]))
  else
    redis.call('HDEL', key.agent_key(id), 'suspended')
    redis.call('SET', key.api_key(row[1]), agent)
    if row[2] then redis.call('PEXPIREAT', key.api_key(row[1]), row[2]) end
  end
end
redis.call('HSET', key.agent(agent), 'status', status)
local reply = { 'ok' }
append_agent(reply, agent)
return reply
