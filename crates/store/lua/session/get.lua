-- Reads a session.
--
-- KEYS[1]  the session partition
-- ARGV     3 session
-- Returns  'ok', owner, user ('' for none), status, metadata (JSON), created, updated · 'not_found'

local row = redis.call('HMGET', key.session(ARGV[3]), 'owner', 'user_id', 'status', 'metadata',
  'created_at', 'updated_at')
if not row[1] then return { 'not_found' } end
return { 'ok', unpack(row) }
