-- Changes some fields of a node (PATCH /nodes/{id}).
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 node id · 4 caller to check ('' none) · 5 status · 6 skills (JSON)
--          7 tags (JSON) · 8 max tasks · 9… pairs of further field and value; '' leaves as it is
-- Returns  'ok', node row · 'not_found' · 'forbidden'
-- Emits    node_<status> when the status changes; task_pending, leader_changed when it is offline now
-- full: runs
-- include: now clock foreign rfc3339 records once event leader queue node

local id = ARGV[3]

local function run()
  local row = redis.call('HMGET', key.node(id), 'status', 'owner', 'seq', 'available_skills',
    'tags', 'max_concurrent_tasks', 'running_tasks')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], ARGV[4]) then return { 'forbidden' } end
  if ARGV[6] ~= '' then
    redis.call('HSET', key.node(id), 'available_skills', ARGV[6])
    index_skills(id, row[3], row[1], row[4], ARGV[6])
    mirror(id)
  end
  if ARGV[7] ~= '' then
    redis.call('HSET', key.node(id), 'tags', ARGV[7])
    index_tags(id, row[3], row[5], ARGV[7])
  end
  if ARGV[8] ~= '' then
    redis.call('HSET', key.node(id), 'max_concurrent_tasks', ARGV[8])
    redis.call('HINCRBY', key.cluster, 'capacity', tonumber(ARGV[8]) - tonumber(row[6]))
    index_room(id, row[1], tonumber(row[7]), tonumber(ARGV[8]))
  end
  if #ARGV > 8 then redis.call('HSET', key.node(id), unpack(ARGV, 9)) end
  if ARGV[5] ~= '' then
    -- A node that an operator brings back gets a full timeout to send its next heartbeat.
    if not is_alive(row[1]) and is_alive(ARGV[5]) then
      redis.call('HSET', key.node(id), 'beat', clock)
    end
    if ARGV[5] == 'offline' then go_offline(id, 'changed') else move(id, ARGV[5], 'changed') end
  end
  keep_clock()
  local reply = { 'ok' }
  append_node(reply, id)
  return reply
end

return once(run)
