-- Puts a new key in the place of another: same name, scopes and expiry. The other is unknown from
-- here on. What the key that asks may not make, it may not rotate.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 key id · 4 the key that asks ('' the admin key) · 5 new key id
--          6 SHA-256 of the new key
-- Returns  'ok', key row · 'not_found' · 'beyond', 'scopes' or 'end' · 'suspended'
--          'unknown' (the key that asks is good no more) · 'id_collision'
-- include: now clock records once key

local function run()
  local maker = read_maker(ARGV[4])
  if not maker then return { 'unknown' } end
  local other = read_other(maker, ARGV[3])
  if not other then return { 'not_found' } end
  local beyond = excess(maker, other.scopes, other.ends)
  if beyond then return { 'beyond', beyond } end
  if is_suspended(other.agent) then return { 'suspended' } end
  if redis.call('EXISTS', key.agent_key(ARGV[5])) == 1 then return { 'id_collision' } end
  forget_key(ARGV[3])
  write_key(ARGV[5], other.agent, ARGV[6], other.name, other.scopes, other.ends)
  local reply = { 'ok' }
  append_key(reply, ARGV[5])
  return reply
end

return once(run)
