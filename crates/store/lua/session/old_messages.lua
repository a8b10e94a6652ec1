-- Names messages of a session that are older than some days.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4 caller to check ('' none) · 5 age in ms · 6 most
-- Returns  'ok', message ids… · 'not_found' · 'forbidden'
-- include: now

local sid = ARGV[3]
local owner = redis.call('HGET', key.session(sid), 'owner')
if not owner then return { 'not_found' } end
if ARGV[4] ~= '' and owner ~= ARGV[4] then return { 'forbidden' } end
local before = string.format('%.0f', (now - tonumber(ARGV[5])) * 1000)
return { 'ok', unpack(redis.call('ZRANGEBYSCORE', key.session_messages(sid), '-inf', before,
  'LIMIT', 0, ARGV[6])) }
