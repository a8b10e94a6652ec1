-- Keeps a seal. Whoever else has made the same one has made the same.
--
-- KEYS[1]  the ledger partition
-- Call     Keep
-- ARGV     number: int          Its number, from 0.
--          seal: text           The seal.
-- Returns  ok(flag)             Whether it is new.
-- full: runs

local is_next = (tonumber(redis.call('HGET', key.ledger, 'sealed')) or 0) == tonumber(number)
if is_next then
  redis.call('HSET', key.seals, number, seal)
  redis.call('HSET', key.ledger, 'sealed', number + 1, 'seal', seal)
end
return { 'ok', is_next and 1 or 0 }
