-- Keeps a name for an agent that is about to be made, so that no node takes it meanwhile. A repeat
-- changes nothing; where no agent is made of it, it is free again by itself.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: text           Which.
--          writer: Writer<'a>   Who asks.
-- Returns  ok
--          taken                Somebody else's node has it, or had it and left mail.
-- include: name

local owner = redis.call('HGET', key.node(name), 'owner')
if owner and writer ~= '' and owner ~= writer then return { 'taken' } end
if is_left_to_another(name, writer) then return { 'taken' } end
redis.call('SET', key.name(name), 'agent', 'PX', NAME_RESERVED_MS)
-- From here on the inbox of that name is the agent's.
if owner then
  redis.call('HSET', key.node(name), 'own_name', '0')
  redis.call('HDEL', key.node(name), 'inbox')
end
return { 'ok' }
