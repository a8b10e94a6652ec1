-- Reads seals.
--
-- KEYS[1]  the ledger partition
-- Call     ListSeals
-- ARGV     from: int            Number of the first, from 0.
--          limit: int           Most seals.
-- Returns  ok(Seals)

local made = tonumber(redis.call('HGET', key.ledger, 'sealed')) or 0
local reply = { 'ok', made }
for number = tonumber(from), math.min(made, from + limit) - 1 do
  reply[#reply + 1] = redis.call('HGET', key.seals, number) or ''
end
return reply
