-- A sign of life from a node, whoever brought it: through the hub or, for old clients, as an
-- hb: key. The caller has checked that the node exists.
local function mark_alive(id, status)
  redis.call('HSET', key.node(id), 'last_heartbeat', now, 'beat', clock)
  if status == 'offline' then
    move(id, 'online', 'heartbeat')
  elseif is_alive(status) then
    redis.call('ZADD', key.alive, clock, id)
  end
end
