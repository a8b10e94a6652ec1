-- The leadership lease. It is held by one incarnation of a node; its term grows with every change of
-- holder and is the fencing token. Old clients take part through the lock key alone, so what that key
-- says is looked at first.
-- include: clock foreign event

-- Who a node's entries in the history count for: its owner, or itself where nobody is told apart.
local function teller(node)
  local owner = redis.call('HGET', key.node(node), 'owner') or ''
  return string.sub(owner, 1, 1) == '@' and node or owner
end

-- Keeps the history short: the oldest entry goes, or that of whoever has more than half of it, so that
-- nobody's coming and going washes away what happened to others.
local function trim_history(node)
  local entries = foreign('LRANGE', key.leader_history, 0, LEADER_HISTORY_MAX) or {}
  if #entries <= LEADER_HISTORY_MAX then return end
  local own, oldest, mine = 0, nil, teller(node)
  for _, entry in ipairs(entries) do
    if teller(string.match(entry, '"node_id":"([^"]*)"') or '') == mine then
      own, oldest = own + 1, entry
    end
  end
  if own > LEADER_HISTORY_MAX / 2 then foreign('LREM', key.leader_history, -1, oldest) end
  foreign('LTRIM', key.leader_history, 0, LEADER_HISTORY_MAX - 1)
end

local function remember(event, node, term, reason)
  foreign('LPUSH', key.leader_history, '{"timestamp":' .. string.format('%.0f', now)
    .. ',"node_id":' .. quoted(node) .. ',"event":"' .. event .. '","term":' .. term
    .. ',"is_leader":' .. ((event == 'elected' or event == 'renewed-late') and 'true' or 'false')
    .. (reason and ',"reason":' .. quoted(reason) or '') .. '}')
  trim_history(node)
end

-- Who holds the lock key, what tells its state from any other, and how many ms it runs; nil if
-- nobody holds it. Old clients renew it by its time to live alone.
local function read_lock()
  local value = foreign('GET', key.leader_lock)
  local holder = value and string.match(value, '^([^:]+):')
  if not holder then return nil end
  local expires_at = redis.call('PEXPIRETIME', key.leader_lock)
  if expires_at < 0 then
    expires_at = now + OLD_LOCK_MS
    redis.call('PEXPIREAT', key.leader_lock, string.format('%.0f', expires_at))
  end
  return holder, value .. '@' .. string.format('%.0f', expires_at),
    math.max(math.min(expires_at - now, LEADER_TTL_MS_MAX), 0)
end

-- The term of the next leader. After a restoration it is above all that may have been given out.
local function next_term(term)
  return math.max(term, tonumber(redis.call('HGET', key.leader, 'floor') or nil) or 0) + 1
end

-- A leader that loses its lease before that has run out may not know for so long.
local function keep_former(expires)
  local known = tonumber(redis.call('HGET', key.leader, 'former') or nil) or 0
  if expires > math.max(known, clock) then
    redis.call('HSET', key.leader, 'former', string.format('%.0f', expires))
  end
end

-- `through` says by what a node leads: 'hub', or 'lock' for an old client, which has no incarnation.
local function hold(node, term, ttl_ms, through, incarnation, owner)
  local _, lock = read_lock()
  redis.call('HSET', key.leader, 'node', node, 'term', term, 'until', clock + ttl_ms,
    'through', through, 'incarnation', incarnation, 'owner', owner, 'lock', lock or '')
  redis.call('HDEL', key.leader, 'ended')
end

-- The lease as it stands: the last holder, its term, and how many ms it still runs (0: nobody
-- leads). Notes what has happened since anybody last looked: a lease that ran out, an old
-- client that took or renewed the lock by itself. Only a change of the lock counts; what Redis' own
-- clock makes of its time to live decides nothing.
local function observe()
  local row = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended', 'through', 'lock')
  local node, term, expires = row[1] or '', tonumber(row[2]) or 0, tonumber(row[3]) or 0
  local left = row[4] and 0 or math.max(expires - clock, 0)
  local locked_by, lock, lock_ms = read_lock()
  -- An old client has nothing but the lock: when that is gone, it has let go.
  if row[5] == 'lock' and not locked_by then left = 0 end
  -- Data of an older version does not say what the lock was: then it says nothing new of its holder.
  local is_news = locked_by and lock ~= row[6] and (row[6] or locked_by ~= node or left == 0)
  if is_news and left > 0 and locked_by == node and row[5] ~= 'lock' then
    redis.call('HSET', key.leader, 'lock', lock)
  elseif is_news then
    local goes_on = locked_by == node and row[5] == 'lock' and (not row[4] or row[4] == 'lost')
    if not goes_on then
      if node ~= '' and not row[4] then
        remember('lost', node, term)
        keep_former(expires)
      end
      term = next_term(term)
      remember('elected', locked_by, term)
      tell_leader_changed(locked_by, term, node)
    elseif row[4] then
      remember('renewed-late', node, term)
      tell_leader_changed(node, term, node)
    end
    node, left = locked_by, lock_ms
    hold(node, term, lock_ms, 'lock', '', '')
  elseif node ~= '' and left == 0 and not row[4] then
    redis.call('HSET', key.leader, 'ended', 'lost')
    if locked_by == node then redis.call('DEL', key.leader_lock) end
    remember('lost', node, term)
    tell_leader_changed('', term, node)
  end
  return node, term, left
end

-- Ends a node's lead before its lease has run out: the node is gone, or has registered anew.
local function end_lead(id, reason)
  local row = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  if row[1] ~= id or (row[4] and row[4] ~= 'lost') then return end
  redis.call('HSET', key.leader, 'ended', 'revoked', 'lock', '')
  if read_lock() == id then redis.call('DEL', key.leader_lock) end
  if row[4] then return end
  keep_former(tonumber(row[3]))
  remember('lost', id, row[2], reason)
  tell_leader_changed('', row[2], id, reason)
end
