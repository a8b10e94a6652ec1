-- Looks for bots of the older system, which know only Redis: adopts those that announce
-- themselves in the registry hash and have a live hb: key, and takes such keys as heartbeats
-- (contract.md §3).
--
-- KEYS[1]  the cluster partition
-- ARGV     cursor: text         Where to go on in the registry: `0` to begin, empty when that half is
--                               done.
--          position: int?       Where to go on among the legacy nodes; `None` when that half is done.
-- Returns  ok(Swept)
-- Emits    node_registered, node_online
-- full: runs
-- include: beat

local RESERVED = { online = 1, available = 1, skills = 1, register = 1, pending = 1, stats = 1,
  claim = 1, cleanup = 1, dead = 1 }
local adopted = 0

local function is_id(text)
  return #text <= 128 and string.match(text, '^[%w_-][%w._@-]*$') and not RESERVED[text]
end

local function adopt(id)
  local seq = redis.call('HINCRBY', key.cluster, 'sequence', 1)
  redis.call('HSET', key.node(id), 'hostname', id, 'status', 'online', 'available_skills', '[]',
    'max_concurrent_tasks', 5, 'running_tasks', 0, 'ip_address', '', 'tailscale_ip', '',
    'port', 18789, 'cpu_usage', 0, 'memory_usage', 0, 'disk_usage', 0,
    'total_tasks_processed', 0, 'successful_tasks', 0, 'failed_tasks', 0,
    'average_execution_time', 0, 'registered_at', now, 'last_heartbeat', now, 'beat', clock,
    'tags', '[]', 'seq', seq, 'owner', '', 'legacy', 1,
    'incarnation', redis.call('HINCRBY', key.cluster, 'incarnation', 1))
  redis.call('HSET', key.hostnames, id, id)
  redis.call('ZADD', key.nodes, seq, id)
  redis.call('ZADD', key.legacy, seq, id)
  redis.call('ZADD', key.by_status('online'), seq, id)
  redis.call('ZADD', key.alive, clock, id)
  redis.call('HINCRBY', key.cluster, 'capacity', 5)
  index_room(id, 'online', 0, 5)
  touch()
  tell_node_registered(id, id, true)
  adopted = adopted + 1
end

-- Each node that is not an old bot is mirrored in the registry by the hub, and old bots list
-- themselves: while it holds no more than these there is most likely nobody to adopt. Old clients
-- may have deleted a mirror, so that one of them is counted in its place: a page at a time is
-- looked at all the same.
local function is_all_ours()
  local ours = redis.call('ZCARD', key.nodes) - redis.call('ZCARD', key.legacy)
  for _, id in ipairs(redis.call('ZRANGE', key.legacy, 0, SWEEP_BATCH - 1)) do
    ours = ours + (foreign('HEXISTS', key.registry, id) or 0)
  end
  return (foreign('HLEN', key.registry) or 0) <= ours
end

-- Takes in a bot, or notes that a known node sends its heartbeats as an old client now.
local function look_at(id)
  if not is_id(id) then return end
  local row = redis.call('HMGET', key.node(id), 'status', 'seq')
  if row[1] and not has_old_beat(id) then return end
  if row[1] then
    redis.call('ZADD', key.legacy, row[2], id)
    mark_alive(id, row[1])
  elseif is_old_clients(foreign('GET', key.heartbeat(id)))
    and redis.call('HEXISTS', key.hostnames, id) == 0 then
    adopt(id)
  end
end

local function adopt_some()
  local is_one_page = cursor == '0' and is_all_ours()
  if is_one_page then cursor = redis.call('HGET', key.cluster, 'sweep_cursor') or '0' end
  local page = foreign('HSCAN', key.registry, cursor, 'COUNT',
    is_one_page and SWEEP_SAMPLE or SWEEP_BATCH)
  if not page then return '' end
  for i = 1, #page[2], 2 do look_at(page[2][i]) end
  if is_one_page then
    redis.call('HSET', key.cluster, 'sweep_cursor', page[1])
    return ''
  end
  return page[1] == '0' and '' or page[1]
end

local function refresh_some()
  local ids = redis.call('ZRANGE', key.legacy, position, position + SWEEP_BATCH - 1)
  for _, id in ipairs(ids) do
    if has_old_beat(id) then
      mark_alive(id, redis.call('HGET', key.node(id), 'status'))
    end
  end
  return #ids < SWEEP_BATCH and '' or position + SWEEP_BATCH
end

local next_cursor = cursor ~= '' and adopt_some() or ''
local next_position = position ~= '' and refresh_some() or ''
keep_clock()
return { 'ok', next_cursor, next_position, adopted }
