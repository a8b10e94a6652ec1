-- Takes heartbeats: one from a node, or up to 100 of a batch (contract.md §3).
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          writer: Writer<'a>   Who sends them.
--          key_ttl_ms: int      How long an `hb:` key lives, in milliseconds.
--          heartbeats: &'a [(&'a NodeId, &'a Heartbeat)]*  Node and heartbeat, in pairs.
-- Returns  Beats
-- Emits    node_online, node_busy when a heartbeat changes the status; task_pending, task_timeout
--          for a claim whose lease has run out
-- full: runs
-- include: records once claim beat

-- Redis writes a number out anew wherever it is an argument.
local now_text, clock_text = string.format('%.0f', now), string.format('%.0f', clock)
local shown = rfc3339(now)

local function refuse(reply, outcome, status)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4], reply[n + 5] = outcome, status, 0, 0, 0
end

-- The claims of a heartbeat follow it, as task and token; `from` is where. Returns where the next begins.
local function take(reply, from, id, cpu, memory, disk, running, to, wanted, quiet_ms, renews_all,
  claims)
  claims = tonumber(claims)
  local next = from + 2 * claims
  local node = key.node(id)
  local row = redis.call('HMGET', node, 'status', 'reported', 'incarnation', 'owner', 'inbox')
  local status, incarnation = row[1], row[3]
  if not status then
    refuse(reply, 'not_found', '')
    return next
  elseif is_foreign(row[4], writer) then
    refuse(reply, 'forbidden', '')
    return next
  elseif wanted ~= '' and tonumber(wanted) ~= tonumber(incarnation) then
    refuse(reply, 'fenced', status)
    return next
  end

  redis.call('HSET', node, 'cpu_usage', cpu, 'memory_usage', memory, 'disk_usage', disk,
    'last_heartbeat', now_text, 'beat', clock_text)
  if is_alive(status) then redis.call('ZADD', key.alive, clock_text, id) end

  local kept = {}
  for at = from, next - 1, 2 do
    local task_id, token = unpack(ARGV, at, at + 1)
    kept[#kept + 1] = keep_claim(task_id, token, id)
  end
  if running ~= row[2] then index_load(id, tonumber(running)) end

  if to == '' or not (is_alive(status) or status == 'offline') then
    to = status == 'offline' and 'online' or status
  end
  if to ~= status then move(id, to, 'heartbeat') end

  redis.call('SET', key.heartbeat(id), '{"status":"' .. to .. '","ts":"' .. shown
    .. '","node":"' .. id .. '","inc":' .. incarnation .. '}', 'PX', key_ttl_ms)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = 'ok', to, tonumber(row[5]) or 0, claims
  for i = 1, claims do reply[n + 4 + i] = kept[i] end
  local longest = 0
  if renews_all == '1' then longest = renew_all(reply, id) else reply[n + 5 + claims] = 0 end
  -- What it holds must not be taken from it before its lease ends, for its silence alone.
  if quiet_ms ~= '' and is_alive(to) then
    redis.call('ZADD', key.alive, clock + math.max(tonumber(quiet_ms), longest), id)
  end
  return next
end

local function run()
  local leader = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  local holder = leader[1]
  if not holder or leader[4] or tonumber(leader[3]) <= clock then holder = '' end
  local reply = { 'ok', now, micros, redis.call('ZCARD', key.nodes), holder,
    tonumber(leader[2]) or 0 }
  local at = heartbeats
  while at <= #ARGV do at = take(reply, at + 10, unpack(ARGV, at, at + 9)) end
  keep_clock()
  return reply
end

return once(run)
