-- Makes a key of an agent, or another admin key. It has no scope that the key that asks has not, and
-- ends no later; only admin keys make keys that administer.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          agent_id: AgentId    Whose; `@admin` for an admin key.
--          key_id: KeyId        Its id.
--          digest: text         SHA-256 of the key, in hex.
--          name: text           What it is for.
--          scopes: Scopes       What it allows.
--          life_ms: int?        How long it is good, in milliseconds; `None`: as long as the key that asks.
--          most: int            Most keys of the agent.
--          maker: KeyId?        The key that asks, which bounds it; `None`: the admin key.
-- Returns  Made:
--          ok(Key)              It is there.
--          not_found            There is no such agent, or no such key to rotate.
--          beyond(Excess)       The key would exceed the one that asks.
--          suspended            The agent is suspended.
--          unknown              The key that asks is good no more.
--          id_collision         The generated id is in use: try again with another.
-- include: records once quota key audit

local function run()
  local asker = read_maker(maker)
  if not asker then return { 'unknown' } end
  if agent_id ~= ADMIN and redis.call('EXISTS', key.agent(agent_id)) == 0 then
    return { 'not_found' }
  end
  if is_suspended(agent_id) then return { 'suspended' } end
  if redis.call('EXISTS', key.agent_key(key_id)) == 1 then return { 'id_collision' } end
  local ends = life_ms ~= '' and now + tonumber(life_ms) or asker.ends
  local beyond = excess(asker, scopes, ends)
  if not asker.is_admin_key and has_scope(scopes, 'admin') then beyond = 'scopes' end
  if beyond then return { 'beyond', beyond } end
  prune_keys(agent_id)
  local refused = over_quota('quota_keys', most, redis.call('ZCARD', key.agent_keys(agent_id)), 1)
  if refused then return refused end
  write_key(key_id, agent_id, digest, name, scopes, ends)
  audit('key.create', key_id, nil,
    facts('agent_id', agent_id, 'name', name, 'scopes', scopes, 'expires_at', tonumber(ends)))
  local reply = { 'ok' }
  append_key(reply, key_id)
  return reply
end

return once(run)
