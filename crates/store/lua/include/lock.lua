-- Named locks. Each is held by whoever has acquired it, under a term that grows with every change of
-- holder and is the fencing token. The terms of all locks come from one counter, so that they grow for a
-- name also where it was forgotten meanwhile: a lock that nobody holds leaves nothing behind.
-- include: clock event

-- Up to which term they are void: they were given out on data that may be no more (include era). Until
-- when whoever held one then may not know it; until when the longest of all leases runs.
local lock_marks = redis.call('HMGET', key.cluster, 'locks_floor', 'locks_former', 'locks_until')
for i = 1, 3 do lock_marks[i] = tonumber(lock_marks[i] or nil) or 0 end

-- A lock that somebody holds or held last; nil if nothing is known of it. `left` is for how many ms it is
-- held yet.
local function lock_of(id)
  local row = redis.call('HMGET', key.lock(id), 'holder', 'owner', 'term', 'until')
  if not row[1] then return nil end
  local term, ends = tonumber(row[3]), tonumber(row[4])
  local left = term > lock_marks[1] and math.max(ends - clock, 0) or 0
  return { id = id, holder = row[1], owner = row[2], term = term, ends = ends, left = left }
end

local function keep_lock(lock, ttl_ms)
  lock.left, lock.ends = ttl_ms, clock + ttl_ms
  redis.call('HSET', key.lock(lock.id), 'holder', lock.holder, 'owner', lock.owner, 'term', lock.term,
    'until', lock.ends)
  redis.call('ZADD', key.locks_due, lock.ends, lock.id)
  if lock.ends > lock_marks[3] then
    lock_marks[3] = lock.ends
    redis.call('HSET', key.cluster, 'locks_until', string.format('%.0f', lock.ends))
  end
end

local function forget_lock(lock)
  redis.call('DEL', key.lock(lock.id))
  redis.call('ZREM', key.locks, lock.id)
  redis.call('ZREM', key.locks_due, lock.id)
  redis.call('ZREM', key.locks_by_owner(lock.owner), lock.id)
end

-- Forgets a few whose leases have run out, so that what is left behind does not grow.
local function sweep_locks()
  local due = redis.call('ZRANGEBYSCORE', key.locks_due, '-inf', clock, 'LIMIT', 0, LOCKS_SWEPT_MAX)
  for _, id in ipairs(due) do
    local lock = lock_of(id)
    if lock then
      forget_lock(lock)
      tell_lock_changed(id, '', lock.term, lock.holder)
    else
      redis.call('ZREM', key.locks_due, id)
    end
  end
end

-- The same of one owner's, whenever they have run out. How many there were.
local function sweep_locks_of(owner)
  local swept = 0
  for _, id in ipairs(redis.call('ZRANGE', key.locks_by_owner(owner), 0, LOCKS_OF_ONE_LOOKED_AT - 1)) do
    local lock = lock_of(id)
    if lock and lock.left == 0 then
      forget_lock(lock)
      tell_lock_changed(id, '', lock.term, lock.holder)
      swept = swept + 1
    end
  end
  return swept
end

-- For how many ms whoever held a lock before may not know that it holds it no longer.
local function lock_former(lock)
  local until_then = math.max(lock_marks[2], lock and lock.ends or 0)
  return math.ceil(math.max(until_then - clock, 0))
end

-- Appends a lock to a reply. Returns about how many bytes it has as JSON; nil if nobody holds it.
local function append_lock(reply, id)
  local lock = lock_of(id)
  if not lock or lock.left == 0 then return nil end
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3] = id, lock.holder, lock.owner
  reply[n + 4], reply[n + 5] = lock.term, math.ceil(lock.left)
  return 120 + #id + #lock.holder + #lock.owner
end
