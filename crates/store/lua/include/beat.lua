-- Signs of life.
-- include: foreign node

-- Whether a node lives by the hb: key that an old client writes. That the key is still there says
-- nothing, since it lasts as long as Redis' clock lets it: what counts is that it was written, and how
-- much of its time has passed on the logical clock since.
local function has_old_beat(id)
  local value = foreign('GET', key.heartbeat(id))
  if not is_old_clients(value) then return false end
  local expires_at = redis.call('PEXPIRETIME', key.heartbeat(id))
  local sign = value .. '@' .. string.format('%.0f', expires_at)
  local row = redis.call('HMGET', key.node(id), 'sign', 'sign_until')
  if row[1] == sign then return tonumber(row[2]) > clock end
  local left = expires_at < 0 and OLD_BEAT_MS or math.max(expires_at - now, 0)
  redis.call('HSET', key.node(id), 'sign', sign, 'sign_until', string.format('%.0f', clock + left))
  return true
end

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
