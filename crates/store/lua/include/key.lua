-- include: now

-- Agents' keys. The hash of a key is the truth; `apikey:<digest>` tells old readers whose it is.
local KEY_FIELDS = { 'agent', 'name', 'scopes', 'created_at', 'last_used', 'expires_at' }

-- Whose admin keys are; no agent can be called so.
local ADMIN = '@admin'

-- Appends a key to a reply: id, then its fields (nil for none).
local function append_key(reply, id)
  local row = redis.call('HMGET', key.agent_key(id), unpack(KEY_FIELDS))
  if not row[1] then return false end
  reply[#reply + 1] = id
  for i = 1, #KEY_FIELDS do reply[#reply + 1] = row[i] end
  return true
end

local function write_key(id, agent, digest, name, scopes, expires_at)
  redis.call('HSET', key.agent_key(id), 'digest', digest, 'agent', agent, 'name', name,
    'scopes', scopes, 'created_at', now)
  redis.call('SET', key.api_key(digest), agent)
  redis.call('ZADD', key.agent_keys(agent), now, id)
  if expires_at then
    redis.call('HSET', key.agent_key(id), 'expires_at', expires_at)
    redis.call('PEXPIREAT', key.agent_key(id), expires_at + EXPIRED_KEY_KEPT_MS)
    redis.call('PEXPIREAT', key.api_key(digest), expires_at)
  end
end

-- Forgets a key: from here on it is unknown, everywhere.
local function forget_key(id)
  local row = redis.call('HMGET', key.agent_key(id), 'agent', 'digest')
  redis.call('DEL', key.agent_key(id), key.api_key(row[2]))
  redis.call('ZREM', key.agent_keys(row[1]), id)
end

-- Forgets the keys that Redis has dropped, so that they do not count.
local function prune_keys(agent)
  for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent), 0, -1)) do
    if redis.call('EXISTS', key.agent_key(id)) == 0 then
      redis.call('ZREM', key.agent_keys(agent), id)
    end
  end
end

local function has_scope(scopes, scope)
  return string.find(' ' .. scopes .. ' ', ' ' .. scope .. ' ', 1, true) ~= nil
end

local function is_suspended(agent)
  return redis.call('HGET', key.agent(agent), 'status') == 'suspended'
end

-- The key that asks, whose scopes and end bound what it may do to others: agent, scopes, ends (nil
-- for never), administers. '' is the admin key of the deployment, which nothing bounds. Nil: it is good
-- no more.
local function read_maker(id)
  if id == '' then return { is_admin_key = true, administers = true } end
  local row = redis.call('HMGET', key.agent_key(id), 'agent', 'scopes', 'expires_at', 'suspended')
  local ends = tonumber(row[3])
  if not row[1] or row[4] or ends and ends <= now then return nil end
  return { agent = row[1], scopes = row[2], ends = ends, administers = has_scope(row[2], 'admin'),
    is_admin_key = row[1] == ADMIN }
end

-- What a key would have that the one that asks has not: 'scopes', 'end', or nil for nothing.
local function excess(maker, scopes, ends)
  if not maker.scopes then return nil end
  for scope in string.gmatch(scopes, '%S+') do
    if not has_scope(maker.scopes, scope) then return 'scopes' end
  end
  if maker.ends and (not ends or ends > maker.ends) then return 'end' end
end

-- A key that the one that asks may deal with: its own agent's, and for who administers any agent's;
-- only an admin key deals with admin keys.
local function read_other(maker, id)
  local row = redis.call('HMGET', key.agent_key(id), 'agent', 'scopes', 'expires_at', 'name')
  if not row[1] or not maker.administers and maker.agent ~= row[1] then return nil end
  if row[1] == ADMIN and not maker.is_admin_key then return nil end
  return { agent = row[1], scopes = row[2], ends = tonumber(row[3]), name = row[4] }
end
