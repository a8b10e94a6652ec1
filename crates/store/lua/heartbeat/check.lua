-- Marks nodes offline that have been silent for longer than the timeout (contract.md §3), and puts what
-- they held back into the queue: at most 100 nodes and 1000 claims a call, never part of a node;
-- `more` asks for another. Re-check and write are this one step, so a heartbeat that
-- arrives in between wins.
--
-- Mass expiry guard: if more than half of the live nodes, and at least 5, would expire, nobody
-- is, until a check at least one heartbeat period later, under the same timeout, finds it again.
-- Nodes do not beat all at the same moment, so that a fleet that is cut off reaches the timeout
-- spread over a heartbeat period. Those who will reach it within one more are counted with it, or
-- the guard would see a few at each check and never a mass.
--
-- Nor is anybody in the first half of a timeout after Redis or the hub was away.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          timeout_ms: int      After how long a node is silent, in milliseconds.
--          period_ms: int       The longest heartbeat period that nodes are asked for, in milliseconds:
--                               how long the mass expiry guard waits for confirmation.
--          tick_ms: int?        How often the caller comes, in milliseconds, if it comes regularly.
--          is_asked_for: flag   The timeout was asked for. One that is the caller's setting gives way
--                               to a longer one of another host at work.
-- Returns  ok(Checked)
-- Emits    node_offline, task_pending, leader_changed; expiry_suspended when the guard begins to hold
-- full: runs
-- include: records once beat timeout

timeout_ms, period_ms = tonumber(timeout_ms), tonumber(period_ms)
local own_ms = timeout_ms
if is_asked_for == '0' then timeout_ms = longest_timeout(timeout_ms) end
local guarded = string.format('%.0f', timeout_ms)
local before = '(' .. string.format('%.0f', clock - timeout_ms)
local late_before = '(' .. string.format('%.0f', clock - timeout_ms + math.floor(timeout_ms / 9))

-- A periodic checker notes its timeout, which may be the longest of those at work.
local function keep_timeout()
  local row = redis.call('HMGET', key.cluster, 'checked_timeout_ms', 'checked_until')
  local is_over = not row[2] or tonumber(row[2]) <= clock
  if tick_ms ~= '' and (is_over or own_ms >= tonumber(row[1])) then
    redis.call('HSET', key.cluster, 'checked_timeout_ms', own_ms, 'checked_until',
      clock + TICKS_UNTIL_FORGOTTEN * tick_ms)
  end
end

-- It says how often it comes, so that the clock can tell a gap. Of several at work (the monitor,
-- the cron trigger) the fastest counts. When none has come for ten ticks they are forgotten; the time
-- they were away is not counted.
local function keep_tick()
  local known_ms, at_work = tonumber(clock_row[3]), false
  if known_ms then
    at_work = math.abs(now - tonumber(clock_row[4])) <= TICKS_UNTIL_FORGOTTEN * known_ms
  end
  if tick_ms ~= '' then
    if not at_work or tonumber(tick_ms) <= known_ms then
      redis.call('HSET', key.cluster, 'tick_ms', tick_ms, 'ticked_at', now)
    end
  elseif known_ms and not at_work then
    redis.call('HDEL', key.cluster, 'tick_ms', 'ticked_at')
  end
end

-- The silent nodes of this call. One that lives by an old client's hb: key is not silent.
local function find_silent()
  local silent = {}
  local found = redis.call('ZRANGEBYSCORE', key.alive, '-inf', before, 'LIMIT', 0,
    EXPIRE_NODES_MAX)
  for _, id in ipairs(found) do
    if has_old_beat(id) then
      mark_alive(id, redis.call('HGET', key.node(id), 'status'))
      redis.call('ZADD', key.legacy, redis.call('HGET', key.node(id), 'seq'), id)
    else
      silent[#silent + 1] = id
    end
  end
  return silent
end

local function is_suspended(count, late, live)
  if count == 0 or late < GUARD_NODES_MIN or late * 2 <= live then
    redis.call('HDEL', key.guard, guarded)
    return false
  end
  local since = redis.call('HGET', key.guard, guarded)
  if since then return clock - tonumber(since) < period_ms end
  if redis.call('HLEN', key.guard) >= GUARD_TIMEOUTS_MAX then redis.call('DEL', key.guard) end
  redis.call('HSET', key.guard, guarded, clock)
  tell_expiry_suspended(late, live, late .. ' of ' .. live .. ' live nodes would expire at once')
  return true
end

local function run()
  keep_clock()
  keep_tick()
  keep_timeout()
  local silent = find_silent()
  local count = redis.call('ZCOUNT', key.alive, '-inf', before)
  local live = redis.call('ZCARD', key.alive)
  local late = redis.call('ZCOUNT', key.alive, '-inf', late_before)
  if count > 0 and is_just_back(timeout_ms) then return { 'ok', now, 0, live, count, 2 } end
  local suspended = is_suspended(count, late, live)
  local reply = { 'ok', now, 0, live, suspended and late or count, suspended and 1 or 0 }
  if suspended then return reply end
  if count > #silent then reply[3] = 1 end
  local claims = 0
  for i, id in ipairs(silent) do
    claims = claims + redis.call('SCARD', key.claims(id))
    if i > 1 and claims > EXPIRE_CLAIMS_MAX then
      reply[3] = 1
      break
    end
    local row = redis.call('HMGET', key.node(id), 'hostname', 'last_heartbeat')
    if row[1] then
      go_offline(id, 'timeout')
      local n = #reply
      reply[n + 1], reply[n + 2], reply[n + 3] = id, row[1], row[2]
    else
      -- Somebody deleted the node by hand: one such entry must not stop the check for all.
      redis.call('ZREM', key.alive, id)
    end
  end
  return reply
end

return once(run)
