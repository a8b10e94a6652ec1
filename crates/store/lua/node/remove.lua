-- Forgets a node; what it held goes back into the queue.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 node id · 4 caller to check ('' none)
-- Returns  'ok' · 'not_found' · 'forbidden'
-- Emits    node_removed, task_pending, leader_changed
-- full: runs
-- include: now clock foreign rfc3339 event leader queue node name

local id = ARGV[3]
local row = redis.call('HMGET', key.node(id), 'status', 'owner', 'seq', 'available_skills',
  'tags', 'max_concurrent_tasks', 'running_tasks', 'hostname', 'mailed', 'own_name')
if not row[1] then return { 'not_found' } end
if is_foreign(row[2], ARGV[4]) then return { 'forbidden' } end

release_claims(id, 'removed')
end_lead(id, 'removed')
index_skills(id, row[3], row[1], row[4], '[]')
index_tags(id, row[3], row[5], '[]')
redis.call('ZREM', key.by_status(row[1]), id)
redis.call('ZREM', key.nodes, id)
redis.call('ZREM', key.nodes_by_owner(row[2]), id)
redis.call('ZREM', key.alive, id)
redis.call('ZREM', key.available, id)
redis.call('ZREM', key.legacy, id)
redis.call('HDEL', key.hostnames, row[8])
foreign('HDEL', key.registry, id)
redis.call('DEL', key.node(id), key.heartbeat(id))
if row[9] and row[10] ~= '0' then keep_name(id, row[2]) end
-- `-x` would make -0 of nothing, which is no integer to Redis.
redis.call('HINCRBY', key.cluster, 'capacity', 0 - tonumber(row[6]))
redis.call('HINCRBY', key.cluster, 'running', 0 - tonumber(row[7]))
touch()
keep_clock()
tell_node_removed(id, row[8])
return { 'ok' }
