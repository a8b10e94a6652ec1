-- include: foreign rfc3339 event leader queue

-- What a node is in Redis, and how it moves between the indexes. Every index entry of a node is
-- written here and in node/register, so that two writers never undo each other's fields.
local NODE_FIELDS = {
  'hostname', 'platform', 'arch', 'status', 'available_skills', 'max_concurrent_tasks',
  'running_tasks', 'ip_address', 'tailscale_ip', 'port', 'cpu_usage', 'memory_usage',
  'disk_usage', 'total_tasks_processed', 'successful_tasks', 'failed_tasks',
  'average_execution_time', 'registered_at', 'last_heartbeat', 'tags', 'incarnation',
}

-- Appends a node's id and fields to a reply; returns about how many bytes that is as JSON, false if
-- there is no such node.
local function append_node(reply, id)
  local row = redis.call('HMGET', key.node(id), unpack(NODE_FIELDS))
  if not row[4] then return false end
  local n, bytes = #reply + 1, 700
  reply[n] = id
  for i = 1, #NODE_FIELDS do
    reply[n + i] = row[i]
    if row[i] then bytes = bytes + #row[i] end
  end
  return bytes
end

-- The cluster changed its shape: nodes came, went or changed their status.
local function touch()
  redis.call('HINCRBY', key.cluster, 'version', 1)
  redis.call('HSET', key.cluster, 'updated_at', now)
end

-- The position of a node among the available ones: fewest running tasks, then most room.
local function load_score(running, max)
  return running * 128 + 100 - (max - running)
end

local function is_alive(status)
  return status == 'online' or status == 'busy'
end

-- Puts an online node where claims and GET /nodes/available look for room, or takes it out.
local function index_room(id, status, running, max)
  if status == 'online' and running < max then
    redis.call('ZADD', key.available, load_score(running, max), id)
  else
    redis.call('ZREM', key.available, id)
  end
end

-- A node's load, after what it holds or what it reports has changed: the larger of both counts.
local function index_load(node, reported)
  local row = redis.call('HMGET', key.node(node), 'status', 'running_tasks',
    'max_concurrent_tasks', 'reported')
  if not row[1] then return end
  reported = reported or tonumber(row[4] or row[2])
  local running = math.max(reported, redis.call('SCARD', key.claims(node)))
  redis.call('HSET', key.node(node), 'reported', reported, 'running_tasks', running)
  redis.call('HINCRBY', key.cluster, 'running', running - tonumber(row[2]))
  index_room(node, row[1], running, tonumber(row[3]))
end

-- Tells old readers of the registry hash about a node. A node that writes its own entry there
-- keeps it.
local function mirror(id)
  local row = redis.call('HMGET', key.node(id), 'hostname', 'status', 'available_skills',
    'registered_at', 'last_heartbeat', 'legacy')
  if row[6] then return end
  foreign('HSET', key.registry, id, '{"node_id":' .. quoted(id) .. ',"node_name":'
    .. quoted(row[1]) .. ',"state":"' .. row[2] .. '","capabilities":' .. row[3]
    .. ',"registered_at":"' .. rfc3339(row[4]) .. '","last_seen":"' .. rfc3339(row[5]) .. '"}')
end

-- Moves a node to another status: indexes, mirror, event. The caller has checked that the node
-- exists and may move. `reason` says why, in the event.
local function move(id, to, reason)
  local row = redis.call('HMGET', key.node(id), 'status', 'seq', 'running_tasks',
    'max_concurrent_tasks', 'available_skills', 'beat', 'hostname')
  local from, seq = row[1], row[2]
  if from == to then return end
  redis.call('HSET', key.node(id), 'status', to)
  redis.call('ZREM', key.by_status(from), id)
  redis.call('ZADD', key.by_status(to), seq, id)
  if is_alive(to) then
    redis.call('ZADD', key.alive, row[6], id)
  else
    redis.call('ZREM', key.alive, id)
  end
  index_room(id, to, tonumber(row[3]), tonumber(row[4]))
  if from == 'online' or to == 'online' then
    for _, skill in ipairs(cjson.decode(row[5])) do
      if to == 'online' then
        redis.call('ZADD', key.online_by_skill(skill), seq, id)
      else
        redis.call('ZREM', key.online_by_skill(skill), id)
      end
    end
  end
  mirror(id)
  touch()
  tell_node_moved('node_' .. to, id, row[7], from, reason)
end

-- A node goes: what it holds is given back, and it leads no more.
local function go_offline(id, reason)
  if release_claims(id, reason) > 0 then index_load(id) end
  end_lead(id, reason)
  move(id, 'offline', reason)
end

-- Replaces a node's skills in the indexes.
local function index_skills(id, seq, status, old, new)
  if old == new then return end
  for _, skill in ipairs(cjson.decode(old)) do
    redis.call('ZREM', key.by_skill(skill), id)
    redis.call('ZREM', key.online_by_skill(skill), id)
  end
  for _, skill in ipairs(cjson.decode(new)) do
    redis.call('ZADD', key.by_skill(skill), seq, id)
    if status == 'online' then redis.call('ZADD', key.online_by_skill(skill), seq, id) end
  end
end

-- Replaces a node's tags in the index.
local function index_tags(id, seq, old, new)
  if old == new then return end
  for _, tag in ipairs(cjson.decode(old)) do redis.call('ZREM', key.by_tag(tag), id) end
  for _, tag in ipairs(cjson.decode(new)) do redis.call('ZADD', key.by_tag(tag), seq, id) end
end

-- Whether a caller may not write to a node: '' may write to all, others to what they own.
local function is_foreign(owner, caller)
  return caller ~= '' and owner ~= caller
end

-- Whether an hb: value was written by an old client: the hub's own carry `inc`.
local function is_old_clients(value)
  return value and not string.find(value, '"inc":', 1, true)
end
