-- Keeps a name for an agent that is about to be made, so that no node takes it meanwhile. A repeat
-- changes nothing; where no agent is made of it, it is free again by itself.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 name · 4 caller to check ('' none)
-- Returns  'ok' · 'taken': somebody else's node has it, or had it and left mail
-- include: name

local name, caller = ARGV[3], ARGV[4]
local owner = redis.call('HGET', key.node(name), 'owner')
if owner and caller ~= '' and owner ~= caller then return { 'taken' } end
if is_left_to_another(name, caller) then return { 'taken' } end
redis.call('SET', key.name(name), 'agent', 'PX', NAME_RESERVED_MS)
-- From here on the inbox of that name is the agent's.
if owner then
  redis.call('HSET', key.node(name), 'own_name', '0')
  redis.call('HDEL', key.node(name), 'inbox')
end
return { 'ok' }
