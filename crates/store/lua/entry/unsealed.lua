-- The links that the next seal covers, once there are as many.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 entries under one seal
-- Returns  'ok', number of the seal, the seal before it ('' for none), links… (none if there are too
--          few)

local under = tonumber(ARGV[3])
local number = redis.call('HLEN', key.seals)
local before = number > 0 and redis.call('HGET', key.seals, number - 1) or ''
local reply = { 'ok', number, before }
local entries = tonumber(redis.call('HGET', key.ledger, 'entries')) or 0
if entries < (number + 1) * under then return reply end
local first = string.format('%.0f-0', number * under + 1)
for _, row in ipairs(redis.call('XRANGE', key.entries, first, '+', 'COUNT', under)) do
  -- The link is the last field.
  reply[#reply + 1] = row[2][#row[2]]
end
return reply
