-- Takes a lock that nobody holds; whoever holds it renews it.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          name: LockId         Which.
--          holder: text         Who asks: one process of the owner.
--          owner: text          Whose it is.
--          ttl_ms: int          For how long, in milliseconds.
--          most: int?           Most locks of the owner.
-- Returns  Acquired:
--          ok(is_held: flag, lock: Lock, former_ttl_ms: int)
--                               It was heard; the lock as it is now. For so long a holder before may not
--                               know that it holds it no longer, in milliseconds.
--          too_many             As many are held as there may be.
-- Emits    lock_changed
-- include: records once quota lock

ttl_ms = tonumber(ttl_ms)

local function answer(is_held, lock, former)
  return { 'ok', is_held, name, lock.holder, lock.owner, lock.term, math.ceil(lock.left), former }
end

-- Whether there is room for another; nil, or why there is not. `before` will be forgotten.
local function refusal(before)
  local freed = before and before.owner == owner and 1 or 0
  local has = redis.call('ZCARD', key.locks_by_owner(owner)) - freed
  local refused = over_quota('quota_locks', most, has, 1)
  -- Those whose leases have run out are none, whether they have been swept or not.
  if refused and sweep_locks_of(owner) > 0 then
    has = redis.call('ZCARD', key.locks_by_owner(owner)) - freed
    refused = over_quota('quota_locks', most, has, 1)
  end
  if refused then return refused end
  if not before and redis.call('ZCARD', key.locks) >= LOCKS_MAX then return { 'too_many' } end
end

local function run()
  sweep_locks()
  local before = lock_of(name)
  keep_clock()
  if before and before.left > 0 then
    local is_holder = before.holder == holder and before.owner == owner
    if is_holder then keep_lock(before, ttl_ms) end
    return answer(is_holder and 1 or 0, before, is_holder and lock_former() or 0)
  end
  local refused = refusal(before)
  if refused then return refused end
  local former = lock_former(before)
  if before then forget_lock(before) end
  local lock = { id = name, holder = holder, owner = owner }
  lock.term = redis.call('HINCRBY', key.cluster, 'locks', 1)
  redis.call('ZADD', key.locks, lock.term, name)
  redis.call('ZADD', key.locks_by_owner(owner), lock.term, name)
  keep_lock(lock, ttl_ms)
  tell_lock_changed(name, holder, lock.term, before and before.holder or '')
  return answer(1, lock, former)
end

return once(run)
