-- Says whose node carries a name.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 name
-- Returns  'ok', owner, 1 if it is known that no agent of somebody else has the name else 0 · 'none'

local row = redis.call('HMGET', key.node(ARGV[3]), 'owner', 'own_name')
if not row[1] then return { 'none' } end
return { 'ok', row[1], row[2] == '1' and 1 or 0 }
