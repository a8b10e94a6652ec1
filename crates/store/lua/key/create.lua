-- Makes a key of an agent. It has no scope that the key that asks has not, and ends no later; only
-- the admin key makes keys that administer.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 agent · 4 key id · 5 SHA-256 of the key · 6 name · 7 scopes
--          8 how long it is good, in ms ('' as long as it may be) · 9 most keys of an agent
--          10 the key that asks ('' the admin key)
-- Returns  'ok', key row · 'not_found' · 'quota' · 'beyond', 'scopes' or 'end' · 'suspended'
--          'unknown' (the key that asks is good no more) · 'id_collision'
-- include: now clock records once quota key

local agent = ARGV[3]

local function run()
  local maker = read_maker(ARGV[10])
  if not maker then return { 'unknown' } end
  if redis.call('EXISTS', key.agent(agent)) == 0 then return { 'not_found' } end
  if is_suspended(agent) then return { 'suspended' } end
  if redis.call('EXISTS', key.agent_key(ARGV[4])) == 1 then return { 'id_collision' } end
  local ends = ARGV[8] ~= '' and now + tonumber(ARGV[8]) or maker.ends
  local beyond = excess(maker, ARGV[7], ends)
  if not maker.is_admin_key and has_scope(ARGV[7], 'admin') then beyond = 'scopes' end
  if beyond then return { 'beyond', beyond } end
  prune_keys(agent)
  local refused = over_quota('quota_keys', ARGV[9], redis.call('ZCARD', key.agent_keys(agent)), 1)
  if refused then return refused end
  write_key(ARGV[4], agent, ARGV[5], ARGV[6], ARGV[7], ends)
  local reply = { 'ok' }
  append_key(reply, ARGV[4])
  return reply
end

return once(run)
