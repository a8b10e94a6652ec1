-- Registers a node, or registers a known hostname again (contract.md §2).
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          hostname: text       Its identity.
--          platform: text       `linux`, `darwin` …
--          arch: text           `x64`, `arm64` …
--          available_skills: Labels<'a>
--                               What it can do.
--          max_concurrent_tasks: int
--                               How many tasks it runs at once.
--          ip_address: text     May be empty.
--          tailscale_ip: text   May be empty.
--          port: int            TCP port.
--          tags: Option<Labels<'a>>
--                               `None` keeps those of a known node.
--          node_id: NodeId?      The id that a new node asks for.
--          generated_id: NodeId
--                               The id for a new node that asks for none.
--          owner: text          Who will own a new node.
--          writer: Writer<'a>   Who asks.
--          standing: Standing   What is known of the id that a new node asks for.
--          most: int?           Most nodes of the owner; `None`: as many as it likes.
-- Returns  Registered:
--          ok(is_new: flag, node: Box<Node>)
--                               The node as it is now; it is new if the hostname was not known before.
--          id_taken             The id that was asked for belongs to another hostname.
--          id_collision         The generated id is in use: make another.
--          forbidden            The node belongs to somebody else.
--          made_id              The id that was asked for looks like one that the hub makes.
--          name_taken           The id that was asked for is the name of somebody else's agent, or of a
--                               node of somebody else's that was removed and has mail.
--          ask                  Whether an agent has the id that was asked for has to be known.
-- Emits    node_registered; for a known node that was not online node_online, for the leader
--          leader_changed
-- include: records once quota node name

local max = tonumber(max_concurrent_tasks)

local function write_common(id)
  redis.call('HSET', key.node(id), 'available_skills', available_skills, 'max_concurrent_tasks', max,
    'ip_address', ip_address, 'tailscale_ip', tailscale_ip, 'port', port,
    'last_heartbeat', now, 'beat', clock,
    'incarnation', redis.call('HINCRBY', key.cluster, 'incarnation', 1))
end

local function create(id)
  if tags == '' then tags = '[]' end
  local seq = redis.call('HINCRBY', key.cluster, 'sequence', 1)
  write_common(id)
  redis.call('HSET', key.node(id), 'hostname', hostname, 'platform', platform, 'arch', arch,
    'status', 'online', 'running_tasks', 0, 'reported', 0, 'cpu_usage', 0, 'memory_usage', 0, 'disk_usage', 0,
    'total_tasks_processed', 0, 'successful_tasks', 0, 'failed_tasks', 0,
    'average_execution_time', 0, 'registered_at', now, 'tags', tags, 'seq', seq,
    'owner', owner)
  if standing ~= 'any' then
    redis.call('HSET', key.node(id), 'own_name', 1)
    -- What was left under the name is still there.
    if redis.call('GETDEL', key.name(id)) then redis.call('HSET', key.node(id), 'mailed', 1) end
  end
  redis.call('HSET', key.hostnames, hostname, id)
  redis.call('ZADD', key.nodes, seq, id)
  redis.call('ZADD', key.nodes_by_owner(owner), seq, id)
  redis.call('ZADD', key.by_status('online'), seq, id)
  redis.call('ZADD', key.alive, clock, id)
  redis.call('HINCRBY', key.cluster, 'capacity', max)
  index_skills(id, seq, 'online', '[]', available_skills)
  index_tags(id, seq, '[]', tags)
  index_room(id, 'online', 0, max)
  mirror(id)
  touch()
end

-- Whatever the node held as it was before ends here, for another process may have held it.
local function renew(id)
  end_lead(id, 'registered')
  local row = redis.call('HMGET', key.node(id), 'status', 'seq', 'available_skills', 'tags',
    'max_concurrent_tasks', 'running_tasks')
  write_common(id)
  redis.call('HINCRBY', key.cluster, 'capacity', max - tonumber(row[5]))
  index_skills(id, row[2], row[1], row[3], available_skills)
  if tags ~= '' then
    redis.call('HSET', key.node(id), 'tags', tags)
    index_tags(id, row[2], row[4], tags)
  end
  if row[1] == 'online' then
    redis.call('ZADD', key.alive, clock, id)
    index_room(id, 'online', tonumber(row[6]), max)
    mirror(id)
    touch()
  else
    move(id, 'online', 'registered')
  end
end

-- A bot that announced itself through Redis has its id as hostname; once it registers properly
-- it gets a real one.
local function take_over(id)
  redis.call('HDEL', key.hostnames, redis.call('HGET', key.node(id), 'hostname'))
  redis.call('HSET', key.hostnames, hostname, id)
  redis.call('HSET', key.node(id), 'hostname', hostname, 'platform', platform, 'arch', arch,
    'owner', owner)
  redis.call('ZADD', key.nodes_by_owner(owner), redis.call('HGET', key.node(id), 'seq'), id)
  redis.call('HDEL', key.node(id), 'legacy')
  redis.call('ZREM', key.legacy, id)
  renew(id)
end

-- Whether a node is such a bot. It is nobody's but that agent's which has its name.
local function is_bot(id)
  return redis.call('HEXISTS', key.node(id), 'legacy') == 1
end

local function run()
  local id = redis.call('HGET', key.hostnames, hostname)
  local is_new = 0
  if id and is_bot(id) then
    if is_foreign(id, writer) then return { 'forbidden' } end
    take_over(id)
  elseif id then
    if is_foreign(redis.call('HGET', key.node(id), 'owner'), writer) then
      return { 'forbidden' }
    end
    renew(id)
  else
    id = node_id ~= '' and node_id or generated_id
    if redis.call('EXISTS', key.node(id)) == 0 then
      local refusal = node_id ~= '' and name_refusal(id, standing, writer)
      if refusal then return { refusal } end
      local owned = redis.call('ZCARD', key.nodes_by_owner(owner))
      local refused = over_quota('quota_nodes', most, owned, 1)
      if refused then return refused end
      is_new = 1
      create(id)
    elseif is_bot(id) then
      if is_foreign(id, writer) then return { 'forbidden' } end
      take_over(id)
    else
      return { node_id ~= '' and 'id_taken' or 'id_collision' }
    end
  end
  keep_clock()
  tell_node_registered(id, hostname, is_new == 1)
  local reply = { 'ok', is_new }
  append_node(reply, id)
  return reply
end

-- A question is no answer.
return once(run, function(reply) return reply[1] ~= 'ask' end)
