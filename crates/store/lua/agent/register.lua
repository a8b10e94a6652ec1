-- Makes an agent and its first key (api.md §6). A wallet is one agent.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 id asked for ('') · 4 id to use otherwise · 5 wallet ('')
--          6 display name ('') · 7 metadata (JSON) · 8 key id · 9 SHA-256 of the key
--          10 scopes · 11 name of the key
-- Returns  'ok', agent row, key row · 'wallet_taken', agent · 'id_taken' · 'id_collision'
-- include: now once key agent

local id = ARGV[3] ~= '' and ARGV[3] or ARGV[4]
local wallet = ARGV[5]

local function run()
  local known = wallet ~= '' and redis.call('HGET', key.wallets, wallet)
  if known then return { 'wallet_taken', known } end
  if redis.call('EXISTS', key.agent(id)) == 1 then
    return { ARGV[3] ~= '' and 'id_taken' or 'id_collision' }
  end
  if redis.call('EXISTS', key.agent_key(ARGV[8])) == 1 then return { 'id_collision' } end
  redis.call('HSET', key.agent(id), 'wallet_address', wallet, 'display_name', ARGV[6],
    'metadata', ARGV[7], 'status', 'active', 'created_at', now)
  redis.call('ZADD', key.agents, redis.call('HINCRBY', key.ledger, 'agents', 1), id)
  if wallet ~= '' then redis.call('HSET', key.wallets, wallet, id) end
  write_key(ARGV[8], id, ARGV[9], ARGV[11], ARGV[10])
  local reply = { 'ok' }
  append_agent(reply, id)
  append_key(reply, ARGV[8])
  return reply
end

return once(run)
