-- Notes a change of many tasks. What it would change is counted first (bulk/count): of those that there are now,
-- so that none that is submitted later is caught.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          bulk_id: BulkId      Its id.
--          owner: text          Whose it is.
--          action: text         `cancel`, `retry`, `remove` or `set_priority`.
--          priority: int?       The priority that is set.
--          filter: &'a Filter   Which tasks.
--          most: int?           How many it may change; none: it only counts.
--          reason: text         Why.
-- Returns  Started:
--          ok(text)             Its id.
--          too_many             The owner has as many under way as it may have.
-- Emits    bulk_started
-- include: records once event audit

-- Forgets the oldest job of the owner that has ended, where there are too many.
local function forget_oldest()
  local list = key.bulks_by_owner(owner)
  if redis.call('ZCARD', list) < BULKS_KEPT then return end
  for _, id in ipairs(redis.call('ZRANGE', list, 0, BULKS_MAX)) do
    local status = redis.call('HGET', key.bulk(id), 'status')
    if status ~= 'counting' and status ~= 'running' then
      redis.call('DEL', key.bulk(id))
      redis.call('ZREM', list, id)
      return
    end
  end
end

local function run()
  if tonumber(redis.call('HGET', key.usage(owner), 'bulks') or 0) >= BULKS_MAX then
    return { 'too_many' }
  end
  local top = redis.call('HGET', key.cluster, 'tasks') or 0
  redis.call('HINCRBY', key.usage(owner), 'bulks', 1)
  redis.call('HSET', key.bulk(bulk_id), 'owner', owner, 'action', action, 'priority', priority,
    'filter', filter, 'most', most, 'reason', reason, 'status', 'counting', 'top', top + 1, 'cursor', top + 1,
    'matched', 0, 'done', 0, 'skipped', 0, 'failed', 0, 'sample', '', 'created_at', now)
  redis.call('ZADD', key.bulks, clock, bulk_id)
  forget_oldest()
  redis.call('ZADD', key.bulks_by_owner(owner), redis.call('HINCRBY', key.cluster, 'bulks', 1), bulk_id)
  if most ~= '' then
    tell_bulk_started(bulk_id, action)
    audit('bulk.start', bulk_id, nil, facts('action', action, 'priority', tonumber(priority), 'most', tonumber(most),
      'reason', reason, 'filter', { filter }))
  end
  keep_clock()
  return { 'ok', bulk_id }
end

-- A repeat may find room.
return once(run, function(reply) return reply[1] ~= 'too_many' end)
