-- Marks a node offline by its own wish, and puts what it held back into the queue; when it was last
-- heard of stays as it is.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          node_id: NodeId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Written<>:
--          ok
-- Emits    node_offline, task_pending, leader_changed
-- full: runs
-- include: records once node audit

local function run()
  local row = redis.call('HMGET', key.node(node_id), 'status', 'owner')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], writer) then return { 'forbidden' } end
  go_offline(node_id, 'shutdown')
  redis.call('DEL', key.heartbeat(node_id))
  audit('node.shutdown', node_id, facts('status', row[1]), facts('status', 'offline'))
  keep_clock()
  return { 'ok' }
end

return once(run)
