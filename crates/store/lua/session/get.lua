-- Reads a session.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4 most bytes (none for any)
-- Returns  'ok', owner, user ('' for none), status, metadata (JSON), created, updated,
--          audience of its tasks ('' as the hub says) · 'large': its metadata has more bytes
--          'not_found'

local row = redis.call('HMGET', key.session(ARGV[3]), 'owner', 'user_id', 'status', 'metadata',
  'created_at', 'updated_at', 'audience')
if not row[1] then return { 'not_found' } end
if ARGV[4] and #row[4] > tonumber(ARGV[4]) then return { 'large' } end
row[7] = row[7] or ''
return { 'ok', unpack(row) }
