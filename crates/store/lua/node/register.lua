-- Registers a node, or registers a known hostname again (contract.md §2).
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 hostname · 4 platform · 5 arch · 6 skills (JSON) · 7 max tasks
--          8 ip · 9 tailscale ip · 10 port · 11 tags (JSON, '' keeps) · 12 id asked for ('')
--          13 id to use otherwise · 14 owner · 15 caller to check ('' none) · 16 what is known of the
--          id asked for, if it is a new node's (include name) · 17 most nodes of the owner ('' for no
--          bound)
-- Returns  'ok', 1 if new else 0, node row · 'id_taken' · 'id_collision' · 'forbidden' · 'made_id'
--          'name_taken': somebody else's agent has the id · 'ask': say whether an agent has it · 'quota'
-- Emits    node_registered; for a known node that was not online node_online, for the leader
--          leader_changed
-- include: now clock foreign rfc3339 records once quota event leader queue node name

local hostname, platform, arch, skills = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local max = tonumber(ARGV[7])

local function write_common(id)
  redis.call('HSET', key.node(id), 'available_skills', skills, 'max_concurrent_tasks', max,
    'ip_address', ARGV[8], 'tailscale_ip', ARGV[9], 'port', ARGV[10],
    'last_heartbeat', now, 'beat', clock,
    'incarnation', redis.call('HINCRBY', key.cluster, 'incarnation', 1))
end

local function create(id)
  local tags = ARGV[11] == '' and '[]' or ARGV[11]
  local seq = redis.call('HINCRBY', key.cluster, 'sequence', 1)
  write_common(id)
  redis.call('HSET', key.node(id), 'hostname', hostname, 'platform', platform, 'arch', arch,
    'status', 'online', 'running_tasks', 0, 'reported', 0, 'cpu_usage', 0, 'memory_usage', 0, 'disk_usage', 0,
    'total_tasks_processed', 0, 'successful_tasks', 0, 'failed_tasks', 0,
    'average_execution_time', 0, 'registered_at', now, 'tags', tags, 'seq', seq,
    'owner', ARGV[14])
  if ARGV[16] ~= 'any' then
    redis.call('HSET', key.node(id), 'own_name', 1)
    -- What was left under the name is still there.
    if redis.call('GETDEL', key.name(id)) then redis.call('HSET', key.node(id), 'mailed', 1) end
  end
  redis.call('HSET', key.hostnames, hostname, id)
  redis.call('ZADD', key.nodes, seq, id)
  redis.call('ZADD', key.nodes_by_owner(ARGV[14]), seq, id)
  redis.call('ZADD', key.by_status('online'), seq, id)
  redis.call('ZADD', key.alive, clock, id)
  redis.call('HINCRBY', key.cluster, 'capacity', max)
  index_skills(id, seq, 'online', '[]', skills)
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
  index_skills(id, row[2], row[1], row[3], skills)
  if ARGV[11] ~= '' then
    redis.call('HSET', key.node(id), 'tags', ARGV[11])
    index_tags(id, row[2], row[4], ARGV[11])
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
    'owner', ARGV[14])
  redis.call('ZADD', key.nodes_by_owner(ARGV[14]), redis.call('HGET', key.node(id), 'seq'), id)
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
    if is_foreign(id, ARGV[15]) then return { 'forbidden' } end
    take_over(id)
  elseif id then
    if is_foreign(redis.call('HGET', key.node(id), 'owner'), ARGV[15]) then
      return { 'forbidden' }
    end
    renew(id)
  else
    id = ARGV[12] ~= '' and ARGV[12] or ARGV[13]
    if redis.call('EXISTS', key.node(id)) == 0 then
      local refusal = ARGV[12] ~= '' and name_refusal(id, ARGV[16], ARGV[15])
      if refusal then return { refusal } end
      local owned = redis.call('ZCARD', key.nodes_by_owner(ARGV[14]))
      local refused = over_quota('quota_nodes', ARGV[17], owned, 1)
      if refused then return refused end
      is_new = 1
      create(id)
    elseif is_bot(id) then
      if is_foreign(id, ARGV[15]) then return { 'forbidden' } end
      take_over(id)
    else
      return { ARGV[12] ~= '' and 'id_taken' or 'id_collision' }
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
