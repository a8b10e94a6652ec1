-- Makes an agent and its first key (contract.md §6). A wallet is one agent.
--
-- An invite counts a use with it, and says what the key allows. A key that registers others gives
-- them no scope that it has not, and no key that ends later.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          agent_id: AgentId?   The id that the caller asks for.
--          generated_id: AgentId  The id to use otherwise.
--          wallet_address: text?
--                               Where it is known outside.
--          display_name: text?  What people call it.
--          metadata: &'a Json   A JSON object.
--          key_id: KeyId        The id of the first key.
--          digest: text         SHA-256 of the first key, in hex.
--          scopes: Scopes       What the first key allows, as far as the key that asks has it; an invite
--                               says it itself.
--          key_name: text       The name of the first key.
--          maker: KeyId?        The key that asks, which the agent's cannot exceed; `None`: the admin
--                               key, an invite, or a hub that lets everybody register.
--          invite_id: InviteId?  The invite by which it comes in.
--          invite_digest: text?
--                               SHA-256 of the invite's token, in hex.
-- Returns  Registered:
--          ok(agent: Box<Agent>, key: Key)
--                               The agent is there, with one key.
--          wallet_taken(agent_id: AgentId)
--                               This agent has that wallet.
--          id_taken             An agent has that id.
--          id_collision         A generated id is in use: try again with another.
--          unknown              The invite, or the key that asks, is good no more.
--          used_up              The invite has let in as many as it was made for.
--          beyond               The key that asks has no scope that it could give.
-- include: records once agent invite audit

local id = agent_id ~= '' and agent_id or generated_id

-- Of some scopes those that the key that asks has.
local function within(asker, wanted)
  local kept = {}
  for scope in string.gmatch(wanted, '%S+') do
    if not excess(asker, scope, asker.ends) then kept[#kept + 1] = scope end
  end
  return table.concat(kept, ' ')
end

local function run()
  local invite, asker, allowed
  if invite_id ~= '' then
    invite = read_invite(invite_id, invite_digest)
    if not invite then return { 'unknown' } end
    if invite.used >= invite.uses then return { 'used_up' } end
    asker, allowed = invite.maker, invite.scopes
  else
    asker = read_maker(maker)
    if not asker then return { 'unknown' } end
    allowed = within(asker, scopes)
    if allowed == '' then return { 'beyond' } end
  end
  local known = wallet_address ~= '' and redis.call('HGET', key.wallets, wallet_address)
  if known then return { 'wallet_taken', known } end
  if redis.call('EXISTS', key.agent(id)) == 1
    or redis.call('HEXISTS', key.removed_agents, id) == 1 then
    return { agent_id ~= '' and 'id_taken' or 'id_collision' }
  end
  if redis.call('EXISTS', key.agent_key(key_id)) == 1 then return { 'id_collision' } end
  if invite then count_use(invite) end
  redis.call('HSET', key.agent(id), 'wallet_address', wallet_address,
    'display_name', display_name, 'metadata', metadata, 'status', 'active', 'created_at', now)
  redis.call('ZADD', key.agents, redis.call('HINCRBY', key.ledger, 'agents', 1), id)
  if wallet_address ~= '' then redis.call('HSET', key.wallets, wallet_address, id) end
  write_key(key_id, id, digest, key_name, allowed, asker.ends)
  audit('agent.register', id, nil, facts('display_name', display_name, 'wallet_address', wallet_address,
    'key_id', key_id, 'scopes', allowed, 'invite_id', invite_id))
  keep_clock()
  local reply = { 'ok' }
  append_agent(reply, id)
  append_key(reply, key_id)
  return reply
end

-- Only what a repeat would find again is kept.
return once(run, function(reply)
  return reply[1] ~= 'unknown' and reply[1] ~= 'used_up'
end)
