-- Puts a new key in the place of another: same name, scopes and expiry. The other is unknown from
-- here on. What the key that asks may not make, it may not rotate.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          key_id: KeyId        Which.
--          maker: KeyId?        The key that asks, which must not be exceeded; `None`: the admin key.
--          new_id: KeyId        The id of the new key.
--          digest: text         SHA-256 of the new key, in hex.
-- Returns  Made
-- include: records once key audit

local function run()
  local asker = read_maker(maker)
  if not asker then return { 'unknown' } end
  local other = read_other(asker, key_id)
  if not other then return { 'not_found' } end
  local beyond = excess(asker, other.scopes, other.ends)
  if beyond then return { 'beyond', beyond } end
  if is_suspended(other.agent) then return { 'suspended' } end
  if redis.call('EXISTS', key.agent_key(new_id)) == 1 then return { 'id_collision' } end
  forget_key(key_id)
  write_key(new_id, other.agent, digest, other.name, other.scopes, other.ends)
  audit('key.rotate', key_id, facts('agent_id', other.agent, 'name', other.name, 'scopes', other.scopes),
    facts('key_id', new_id))
  local reply = { 'ok' }
  append_key(reply, new_id)
  return reply
end

return once(run)
