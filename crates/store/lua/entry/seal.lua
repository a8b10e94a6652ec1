-- Keeps a seal. Whoever else has made the same one has made the same.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 number · 4 seal
-- Returns  'ok', 1 if it is new else 0
-- full: runs

local is_next = (tonumber(redis.call('HGET', key.ledger, 'sealed')) or 0) == tonumber(ARGV[3])
if is_next then
  redis.call('HSET', key.seals, ARGV[3], ARGV[4])
  redis.call('HSET', key.ledger, 'sealed', ARGV[3] + 1, 'seal', ARGV[4])
end
return { 'ok', is_next and 1 or 0 }
