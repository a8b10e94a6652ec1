-- Makes a key of an agent.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 agent · 4 key id · 5 SHA-256 of the key · 6 name · 7 scopes
--          8 how long it is good, in ms ('' for ever) · 9 most keys of an agent
-- Returns  'ok', key row · 'not_found' · 'quota' · 'id_collision'
-- include: now once quota key

local agent = ARGV[3]

local function run()
  if redis.call('EXISTS', key.agent(agent)) == 0 then return { 'not_found' } end
  if redis.call('EXISTS', key.agent_key(ARGV[4])) == 1 then return { 'id_collision' } end
  prune_keys(agent)
  local refused = over_quota('quota_keys', ARGV[9], redis.call('ZCARD', key.agent_keys(agent)), 1)
  if refused then return refused end
  local expires_at = ARGV[8] ~= '' and now + tonumber(ARGV[8]) or nil
  write_key(ARGV[4], agent, ARGV[5], ARGV[6], ARGV[7], expires_at)
  local reply = { 'ok' }
  append_key(reply, ARGV[4])
  return reply
end

return once(run)
