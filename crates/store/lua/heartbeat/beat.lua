-- Takes heartbeats: one from a node, or up to 100 of a batch (api.md §3).
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 caller to check ('' none) · 4 TTL of hb: keys in ms · then 7 for
--          each heartbeat: node id, cpu, memory, disk, running tasks, status (''), incarnation ('')
-- Returns  'ok', now, number for jitter, nodes in the cluster, leader (''), term, then 3 for each
--          heartbeat: 'ok' | 'not_found' | 'fenced' | 'forbidden', status, inbox depth
-- Emits    node_online, node_busy when a heartbeat changes the status
-- include: now clock foreign rfc3339 once event node beat

local caller, ttl_ms = ARGV[3], ARGV[4]
local now_text = rfc3339(now)

local function take(at)
  local id, running = ARGV[at], ARGV[at + 4]
  local node = key.node(id)
  local row = redis.call('HMGET', node, 'status', 'running_tasks', 'max_concurrent_tasks',
    'incarnation', 'owner', 'inbox')
  local status, incarnation = row[1], row[4]
  if not status then return 'not_found', '', 0 end
  if is_foreign(row[5], caller) then return 'forbidden', '', 0 end
  if ARGV[at + 6] ~= '' and tonumber(ARGV[at + 6]) < tonumber(incarnation) then
    return 'fenced', status, 0
  end

  redis.call('HSET', node, 'cpu_usage', ARGV[at + 1], 'memory_usage', ARGV[at + 2],
    'disk_usage', ARGV[at + 3], 'running_tasks', running, 'last_heartbeat', now, 'beat', clock)
  if is_alive(status) then redis.call('ZADD', key.alive, clock, id) end

  local to = ARGV[at + 5]
  if to == '' or not (is_alive(status) or status == 'offline') then
    to = status == 'offline' and 'online' or status
  end
  if running ~= row[2] then
    redis.call('HINCRBY', key.cluster, 'running', tonumber(running) - tonumber(row[2]))
    index_room(id, status, tonumber(running), tonumber(row[3]))
  end
  if to ~= status then move(id, to, 'heartbeat') end

  redis.call('SET', key.heartbeat(id), '{"status":"' .. to .. '","ts":"' .. now_text
    .. '","node":"' .. id .. '","inc":' .. incarnation .. '}', 'PX', ttl_ms)
  return 'ok', to, tonumber(row[6]) or 0
end

local function run()
  local leader = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  local holder = leader[1]
  if not holder or leader[4] or tonumber(leader[3]) <= clock then holder = '' end
  local reply = { 'ok', now, micros, redis.call('ZCARD', key.nodes), holder,
    tonumber(leader[2]) or 0 }
  for at = 5, #ARGV, 7 do
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = take(at)
  end
  keep_clock()
  return reply
end

return once(run)
