-- Takes heartbeats: one from a node, or up to 100 of a batch (contract.md §3).
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 caller to check ('' none) · 4 TTL of hb: keys in ms · then for each
--          heartbeat: node id, cpu, memory, disk, running tasks, status (''), incarnation (''),
--          number of claims, and for each claim: task, token
-- Returns  'ok', now, number for jitter, nodes in the cluster, leader (''), term, then for each
--          heartbeat: 'ok' | 'not_found' | 'fenced' | 'forbidden', status, inbox depth, number of
--          claims, and for each 'renewed' | 'revoked' | 'cancelled'
-- Emits    node_online, node_busy when a heartbeat changes the status; task_pending, task_timeout
--          for a claim whose lease has run out
-- full: runs
-- include: records once claim beat

local caller, ttl_ms = ARGV[3], ARGV[4]
local now_text = rfc3339(now)

local function refuse(reply, outcome, status)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = outcome, status, 0, 0
end

local function take(at, reply)
  local id, running = ARGV[at], ARGV[at + 4]
  local node = key.node(id)
  local row = redis.call('HMGET', node, 'status', 'reported', 'incarnation', 'owner', 'inbox')
  local status, incarnation = row[1], row[3]
  if not status then return refuse(reply, 'not_found', '') end
  if is_foreign(row[4], caller) then return refuse(reply, 'forbidden', '') end
  if ARGV[at + 6] ~= '' and tonumber(ARGV[at + 6]) ~= tonumber(incarnation) then
    return refuse(reply, 'fenced', status)
  end

  redis.call('HSET', node, 'cpu_usage', ARGV[at + 1], 'memory_usage', ARGV[at + 2],
    'disk_usage', ARGV[at + 3], 'last_heartbeat', now, 'beat', clock)
  if is_alive(status) then redis.call('ZADD', key.alive, clock, id) end

  local kept, claims = {}, tonumber(ARGV[at + 7])
  for i = 1, claims do
    kept[i] = keep_claim(ARGV[at + 6 + 2 * i], ARGV[at + 7 + 2 * i], id)
  end
  if running ~= row[2] then index_load(id, tonumber(running)) end

  local to = ARGV[at + 5]
  if to == '' or not (is_alive(status) or status == 'offline') then
    to = status == 'offline' and 'online' or status
  end
  if to ~= status then move(id, to, 'heartbeat') end

  redis.call('SET', key.heartbeat(id), '{"status":"' .. to .. '","ts":"' .. now_text
    .. '","node":"' .. id .. '","inc":' .. incarnation .. '}', 'PX', ttl_ms)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = 'ok', to, tonumber(row[5]) or 0, claims
  for i = 1, claims do reply[n + 4 + i] = kept[i] end
end

local function run()
  local leader = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  local holder = leader[1]
  if not holder or leader[4] or tonumber(leader[3]) <= clock then holder = '' end
  local reply = { 'ok', now, micros, redis.call('ZCARD', key.nodes), holder,
    tonumber(leader[2]) or 0 }
  local at = 5
  while at <= #ARGV do
    take(at, reply)
    at = at + 8 + 2 * tonumber(ARGV[at + 7])
  end
  keep_clock()
  return reply
end

return once(run)
