-- Marks a node offline by its own wish, and puts what it held back into the queue; when it was last
-- heard of stays as it is.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 node id · 4 caller to check ('' none)
-- Returns  'ok' · 'not_found' · 'forbidden'
-- Emits    node_offline, task_pending, leader_changed
-- full: runs
-- include: now clock foreign rfc3339 records once event leader queue node

local id = ARGV[3]

local function run()
  local row = redis.call('HMGET', key.node(id), 'status', 'owner')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], ARGV[4]) then return { 'forbidden' } end
  go_offline(id, 'shutdown')
  redis.call('DEL', key.heartbeat(id))
  keep_clock()
  return { 'ok' }
end

return once(run)
