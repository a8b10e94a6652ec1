-- Reads seals.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 number of the first · 4 most
-- Returns  'ok', how many were made, seals… ('' for one that is not there)

local made = tonumber(redis.call('HGET', key.ledger, 'sealed')) or 0
local reply = { 'ok', made }
local first = tonumber(ARGV[3])
for number = first, math.min(made, first + tonumber(ARGV[4])) - 1 do
  reply[#reply + 1] = redis.call('HGET', key.seals, number) or ''
end
return reply
