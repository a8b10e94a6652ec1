-- Makes a session, or finds the one that is there.
--
-- KEYS[1]  the session partition
-- ARGV     1-2 idempotency · 3 session · 4 user ('') · 5 metadata (JSON) · 6 owner · 7 TTL in ms
--          8 caller to check ('' none) · 9 audience of its tasks ('' as the hub says)
-- Returns  'ok', 1 if new else 0, status, created · 'forbidden'
-- include: now expiring once

local sid = ARGV[3]

local function run()
  local row = redis.call('HMGET', key.session(sid), 'status', 'created_at', 'owner')
  if row[1] and ARGV[8] ~= '' and row[3] ~= ARGV[8] then return { 'forbidden' } end
  if row[1] then return { 'ok', 0, row[1], row[2] } end
  redis.call('HSET', key.session(sid), 'user_id', ARGV[4], 'status', 'active', 'metadata', ARGV[5],
    'owner', ARGV[6], 'audience', ARGV[9], 'created_at', now, 'updated_at', now)
  redis.call('PEXPIRE', key.session(sid), ARGV[7])
  return { 'ok', 1, 'active', now }
end

return once(run)
