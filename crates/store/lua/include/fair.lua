-- Fair shares of the queue, by start-time fair queueing (contract.md §5): tasks of a key are on a track of its
-- owner, and each begins a quantum, divided by its weight, after the one before it. The quantum is the time in
-- which the fleet begins one task while tasks wait.
-- include: queue

-- The place of a task among all, which is `rank` for one without a key; in microseconds.
local function fair_rank(task, given, rank)
  local weight, name = string.match(given.fair, '^([^/]*)/(.*)$')
  if not name then return rank end
  local track, shift = given.priority .. '/' .. task.owner .. '/' .. name, 600e6 * given.priority
  local last = tonumber(redis.call('ZSCORE', key.fair_tracks, track) or nil)
  if not last and redis.call('ZCARD', key.fair_tracks) >= FAIR_TRACKS_MAX then return rank end
  weight = tonumber(redis.call('HGET', key.fair_weights, name) or weight) or 1
  local quantum = tonumber(redis.call('HGET', key.cluster, 'quantum_us') or FAIR_QUANTUM_US)
  local place = math.max(rank, math.min((last or 0) + quantum / weight + shift, rank + FAIR_BEHIND_US))
  redis.call('ZADD', key.fair_tracks, string.format('%.0f', place - shift), track)
  if place > rank then
    redis.call('HSET', key.task(task.id), 'fair_ms', string.format('%.0f', (place - rank) / 1000))
  end
  return place
end

-- Forgets tracks whose time is past, and measures the quantum while tasks wait.
local function tend_fairness()
  if redis.call('EXISTS', key.fair_tracks) == 0 then return end
  local past = redis.call('ZRANGEBYSCORE', key.fair_tracks, '-inf',
    string.format('%.0f', tonumber(time[1]) * 1e6), 'LIMIT', 0, TASK_BATCH)
  if past[1] then redis.call('ZREM', key.fair_tracks, unpack(past)) end
  local row = redis.call('HMGET', key.cluster, 'claims', 'quantum_claims', 'quantum_at', 'quantum_us')
  local claims, ms = tonumber(row[1] or 0), clock - tonumber(row[3] or 0)
  if ms < FAIR_MEASURED_MS then return end
  redis.call('HSET', key.cluster, 'quantum_claims', claims, 'quantum_at', clock)
  local begun = claims - tonumber(row[2] or claims)
  if begun < 1 or ms > 2 * FAIR_MEASURED_MS or redis.call('EXISTS', key.waiting_tasks) == 0 then return end
  local quantum = math.max(FAIR_QUANTUM_US_MIN, math.min(ms * 1000 / begun, FAIR_QUANTUM_US_MAX))
  quantum = 0.7 * tonumber(row[4] or quantum) + 0.3 * quantum
  redis.call('HSET', key.cluster, 'quantum_us', string.format('%.0f', quantum))
end
