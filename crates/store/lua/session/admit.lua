-- Lists messages that are about to be made in a session. They keep the order in which they are
-- named, and one that is listed already keeps its place, so that a repeat changes nothing.
--
-- KEYS[1]  the session partition
-- ARGV     3 session · 4 caller to check ('' none) · 5 TTL of the list in ms · 6 TTL of the session
--          in ms · 7… messages
-- Returns  'ok', owner of the session · 'not_found' · 'forbidden' · 'closed'
-- include: now

local sid = ARGV[3]
local row = redis.call('HMGET', key.session(sid), 'status', 'owner')
if not row[1] then return { 'not_found' } end
if ARGV[4] ~= '' and row[2] ~= ARGV[4] then return { 'forbidden' } end

local known = 0
for i = 7, #ARGV do
  if redis.call('ZSCORE', key.session_messages(sid), ARGV[i]) then known = known + 1 end
end
if known < #ARGV - 6 then
  if row[1] ~= 'active' then return { 'closed' } end
  -- In microseconds, and never at or before the youngest: the order is that of admission.
  local at = tonumber(time[1]) * 1000000 + micros
  local youngest = redis.call('ZREVRANGE', key.session_messages(sid), 0, 0, 'WITHSCORES')[2]
  if youngest then at = math.max(at, tonumber(youngest) + 1) end
  for i = 7, #ARGV do
    redis.call('ZADD', key.session_messages(sid), 'NX', string.format('%.0f', at + i - 7), ARGV[i])
  end
end
redis.call('HSET', key.session(sid), 'updated_at', now)
redis.call('PEXPIRE', key.session(sid), ARGV[6])
redis.call('PEXPIRE', key.session_messages(sid), ARGV[5])
return { 'ok', row[2] }
