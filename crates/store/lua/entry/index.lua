-- Reads the numbers of the entries that an agent's index lists, oldest first, as they lie there.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent · 4 how many to pass over · 5 most
-- Returns  'ok', how many there are, numbers…
-- include: foreign

local first = tonumber(ARGV[4])
local reply = { 'ok', foreign('LLEN', key.entries_of(ARGV[3])) or 0 }
local numbers = foreign('LRANGE', key.entries_of(ARGV[3]), first, first + tonumber(ARGV[5]) - 1)
for _, number in ipairs(numbers or {}) do
  reply[#reply + 1] = string.match(number, '^%d+$') and #number <= 15 and number or '0'
end
return reply
