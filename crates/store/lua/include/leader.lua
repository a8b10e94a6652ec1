-- The leadership lease. Its term grows with every change of holder and is the fencing token.
-- Old clients take part through the lock key alone, so what that key says is looked at first.
local HISTORY_MAX = 100
local FOREIGN_TTL_MS = 30000

-- Who a node's entries in the history count for: its owner, or itself where nobody is told apart.
local function teller(node)
  local owner = redis.call('HGET', key.node(node), 'owner') or ''
  return string.sub(owner, 1, 1) == '@' and node or owner
end

-- Keeps the history short: the oldest entry goes, or that of whoever has more than half of it, so that
-- nobody's coming and going washes away what happened to others.
local function trim_history(node)
  local entries = foreign('LRANGE', key.leader_history, 0, HISTORY_MAX) or {}
  if #entries <= HISTORY_MAX then return end
  local own, oldest, mine = 0, nil, teller(node)
  for _, entry in ipairs(entries) do
    if teller(string.match(entry, '"node_id":"([^"]*)"') or '') == mine then
      own, oldest = own + 1, entry
    end
  end
  if own > HISTORY_MAX / 2 then foreign('LREM', key.leader_history, -1, oldest) end
  foreign('LTRIM', key.leader_history, 0, HISTORY_MAX - 1)
end

local function remember(event, node, term)
  foreign('LPUSH', key.leader_history, '{"timestamp":' .. string.format('%.0f', now)
    .. ',"node_id":' .. quoted(node) .. ',"event":"' .. event .. '","term":' .. term
    .. ',"is_leader":' .. ((event == 'elected' or event == 'renewed-late') and 'true' or 'false')
    .. '}')
  trim_history(node)
end

-- Whether a node is registered by somebody else than the caller ('' may speak for all).
local function is_anothers(node, caller)
  local owner = caller ~= '' and redis.call('HGET', key.node(node), 'owner')
  return owner and owner ~= caller
end

local function announce(leader, term, previous)
  emit('leader_changed', '{"leader":' .. (leader == '' and 'null' or quoted(leader))
    .. ',"term":' .. term .. ',"previous":' .. (previous == '' and 'null' or quoted(previous))
    .. '}')
end

-- `through` says by what a node leads: 'hub', or 'lock' for an old client.
local function hold(node, term, ttl_ms, through)
  redis.call('HSET', key.leader, 'node', node, 'term', term, 'until', clock + ttl_ms,
    'through', through)
  redis.call('HDEL', key.leader, 'ended')
end

-- The lease as it stands: the last holder, its term, and how many ms it still runs (0: nobody
-- leads). Notes what has happened since anybody last looked: a lease that ran out, an old
-- client that took or renewed the lock by itself.
local function observe()
  local row = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended', 'through')
  local node, term = row[1] or '', tonumber(row[2]) or 0
  local left = row[4] and 0 or math.max((tonumber(row[3]) or 0) - clock, 0)
  local lock = foreign('GET', key.leader_lock)
  local locked_by = lock and string.match(lock, '^([^:]+):')
  -- An old client has nothing but the lock: when that is gone, it has let go.
  if row[5] == 'lock' and not locked_by then left = 0 end

  if locked_by and (locked_by ~= node or left == 0) then
    local lock_ms = redis.call('PTTL', key.leader_lock)
    if lock_ms < 0 then
      lock_ms = FOREIGN_TTL_MS
      redis.call('PEXPIRE', key.leader_lock, lock_ms)
    end
    if locked_by ~= node or row[4] == 'resigned' then
      if node ~= '' and not row[4] then remember('lost', node, term) end
      term = term + 1
      remember('elected', locked_by, term)
      announce(locked_by, term, node)
    elseif row[4] then
      remember('renewed-late', node, term)
      announce(node, term, node)
    end
    node, left = locked_by, lock_ms
    hold(node, term, lock_ms, 'lock')
  elseif node ~= '' and left == 0 and not row[4] then
    redis.call('HSET', key.leader, 'ended', 'lost')
    remember('lost', node, term)
    announce('', term, node)
  end
  return node, term, left
end
