-- The links that the next seal covers, once there are as many. How far the journal is sealed, and
-- with what, stands in two places: where they differ, nothing is sealed, so that nobody gets a new
-- seal by deleting the old one.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 entries under one seal · 4 seals that the caller has seen · 5 the last of them ('' for none)
-- Returns  'ok', number of the seal, the seal before it ('' for none), links… (none if there are too
--          few) · 'broken', seals by the ledger, seals that are there

local under = tonumber(ARGV[3])
local row = redis.call('HMGET', key.ledger, 'sealed', 'seal', 'entries')
local number, there = tonumber(row[1]) or 0, redis.call('HLEN', key.seals)
local before = number > 0 and redis.call('HGET', key.seals, number - 1) or ''
local seen = tonumber(ARGV[4])
local is_as_seen = number >= seen
  and (seen == 0 or redis.call('HGET', key.seals, seen - 1) == ARGV[5])
if number ~= there or (number > 0 and before ~= row[2]) or not is_as_seen then
  return { 'broken', number, there }
end
local reply = { 'ok', number, before }
if (tonumber(row[3]) or 0) < (number + 1) * under then return reply end
local first = string.format('%.0f-0', number * under + 1)
for _, entry in ipairs(redis.call('XRANGE', key.entries, first, '+', 'COUNT', under)) do
  -- The link is the last field.
  reply[#reply + 1] = entry[2][#entry[2]]
end
return reply
