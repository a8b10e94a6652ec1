-- Makes an agent and its first key (contract.md §6). A wallet is one agent.
--
-- An invite counts a use with it, and says what the key allows. A key that registers others gives
-- them no scope that it has not, and no key that ends later.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 id asked for ('') · 4 id to use otherwise · 5 wallet ('')
--          6 display name ('') · 7 metadata (JSON) · 8 key id · 9 SHA-256 of the key
--          10 scopes · 11 name of the key · 12 the key that asks ('' the admin key, or none)
--          13 invite ('' for none) · 14 SHA-256 of its token
-- Returns  'ok', agent row, key row · 'wallet_taken', agent · 'id_taken' · 'id_collision'
--          'unknown' (the invite, or the key that asks, is good no more) · 'used_up'
--          'beyond' (the key that asks has nothing to give)
-- include: now clock records once key agent invite

local id = ARGV[3] ~= '' and ARGV[3] or ARGV[4]
local wallet = ARGV[5]

-- Of some scopes those that the key that asks has.
local function within(maker, scopes)
  local kept = {}
  for scope in string.gmatch(scopes, '%S+') do
    if not excess(maker, scope, maker.ends) then kept[#kept + 1] = scope end
  end
  return table.concat(kept, ' ')
end

local function run()
  local invite, maker, scopes
  if ARGV[13] ~= '' then
    invite = read_invite(ARGV[13], ARGV[14])
    if not invite then return { 'unknown' } end
    if invite.used >= invite.uses then return { 'used_up' } end
    maker, scopes = invite.maker, invite.scopes
  else
    maker = read_maker(ARGV[12])
    if not maker then return { 'unknown' } end
    scopes = within(maker, ARGV[10])
    if scopes == '' then return { 'beyond' } end
  end
  local known = wallet ~= '' and redis.call('HGET', key.wallets, wallet)
  if known then return { 'wallet_taken', known } end
  if redis.call('EXISTS', key.agent(id)) == 1
    or redis.call('HEXISTS', key.removed_agents, id) == 1 then
    return { ARGV[3] ~= '' and 'id_taken' or 'id_collision' }
  end
  if redis.call('EXISTS', key.agent_key(ARGV[8])) == 1 then return { 'id_collision' } end
  if invite then count_use(invite) end
  redis.call('HSET', key.agent(id), 'wallet_address', wallet, 'display_name', ARGV[6],
    'metadata', ARGV[7], 'status', 'active', 'created_at', now)
  redis.call('ZADD', key.agents, redis.call('HINCRBY', key.ledger, 'agents', 1), id)
  if wallet ~= '' then redis.call('HSET', key.wallets, wallet, id) end
  write_key(ARGV[8], id, ARGV[9], ARGV[11], scopes, maker.ends)
  keep_clock()
  local reply = { 'ok' }
  append_agent(reply, id)
  append_key(reply, ARGV[8])
  return reply
end

-- Only what a repeat would find again is kept.
return once(run, function(reply)
  return reply[1] ~= 'unknown' and reply[1] ~= 'used_up'
end)
