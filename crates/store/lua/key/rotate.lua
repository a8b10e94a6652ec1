-- Puts a new key in the place of another: same name, scopes and expiry. The other is unknown from
-- here on.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 key id · 4 whose it must be ('' anybody's) · 5 new key id
--          6 SHA-256 of the new key
--          7 scopes that the caller's own key has: the key must not have more ('' not checked)
-- Returns  'ok', key row · 'not_found' · 'beyond' · 'id_collision'
-- include: now once key

local function exceeds(scopes, limit)
  for scope in string.gmatch(scopes, '%S+') do
    if not string.find(' ' .. limit .. ' ', ' ' .. scope .. ' ', 1, true) then return true end
  end
  return false
end

local function run()
  local agent = owned_key(ARGV[3], ARGV[4])
  if not agent then return { 'not_found' } end
  if redis.call('EXISTS', key.agent_key(ARGV[5])) == 1 then return { 'id_collision' } end
  local row = redis.call('HMGET', key.agent_key(ARGV[3]), 'name', 'scopes', 'expires_at')
  if ARGV[7] ~= '' and exceeds(row[2], ARGV[7]) then return { 'beyond' } end
  forget_key(ARGV[3])
  write_key(ARGV[5], agent, ARGV[6], row[1], row[2], tonumber(row[3]))
  local reply = { 'ok' }
  append_key(reply, ARGV[5])
  return reply
end

return once(run)
