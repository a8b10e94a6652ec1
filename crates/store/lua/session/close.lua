-- Closes a session: no messages are added any more. Closing a closed one changes nothing.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4 caller to check ('' none)
-- Returns  'ok' · 'not_found' · 'forbidden'
-- full: runs
-- include: now

local row = redis.call('HMGET', key.session(ARGV[3]), 'status', 'owner')
if not row[1] then return { 'not_found' } end
if ARGV[4] ~= '' and row[2] ~= ARGV[4] then return { 'forbidden' } end
if row[1] ~= 'closed' then
  redis.call('HSET', key.session(ARGV[3]), 'status', 'closed', 'updated_at', now)
end
return { 'ok' }
