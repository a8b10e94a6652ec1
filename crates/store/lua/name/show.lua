-- Says whose node carries a name.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           Which.
-- Returns  ok(Node)
--          none

local row = redis.call('HMGET', key.node(name), 'owner', 'own_name')
if not row[1] then return { 'none' } end
return { 'ok', row[1], row[2] == '1' and 1 or 0 }
