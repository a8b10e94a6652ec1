-- Forgets a node; what it held goes back into the queue.
--
-- KEYS[1]  the cluster partition
-- ARGV     audit
--          node_id: NodeId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok
-- Emits    node_removed, task_pending, leader_changed
-- full: runs
-- include: node name audit

local row = redis.call('HMGET', key.node(node_id), 'status', 'owner', 'seq', 'available_skills',
  'tags', 'max_concurrent_tasks', 'running_tasks', 'hostname', 'mailed', 'own_name')
if not row[1] then return { 'not_found' } end
if is_foreign(row[2], writer) then return { 'forbidden' } end

release_claims(node_id, 'removed')
end_lead(node_id, 'removed')
index_skills(node_id, row[3], row[1], row[4], '[]')
index_tags(node_id, row[3], row[5], '[]')
redis.call('ZREM', key.by_status(row[1]), node_id)
redis.call('ZREM', key.nodes, node_id)
redis.call('ZREM', key.nodes_by_owner(row[2]), node_id)
redis.call('ZREM', key.alive, node_id)
redis.call('ZREM', key.available, node_id)
redis.call('ZREM', key.legacy, node_id)
redis.call('HDEL', key.hostnames, row[8])
foreign('HDEL', key.registry, node_id)
redis.call('DEL', key.node(node_id), key.heartbeat(node_id), key.lost_claims(node_id))
if row[9] and row[10] ~= '0' then keep_name(node_id, row[2]) end
-- `-x` would make -0 of nothing, which is no integer to Redis.
redis.call('HINCRBY', key.cluster, 'capacity', 0 - tonumber(row[6]))
redis.call('HINCRBY', key.cluster, 'running', 0 - tonumber(row[7]))
touch()
keep_clock()
tell_node_removed(node_id, row[8])
audit('node.remove', node_id, facts('status', row[1], 'hostname', row[8], 'owner', row[2]))
return { 'ok' }
