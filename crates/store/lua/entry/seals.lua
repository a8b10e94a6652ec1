-- Reads seals.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 number of the first · 4 most
-- Returns  'ok', how many there are, seals…

local count = redis.call('HLEN', key.seals)
local reply = { 'ok', count }
local first = tonumber(ARGV[3])
for number = first, math.min(count, first + tonumber(ARGV[4])) - 1 do
  reply[#reply + 1] = redis.call('HGET', key.seals, number)
end
return reply
