-- Lists dead letters by what their errors have in common: those that had a death latest first. Of each how many
-- there are, when the first and the last died, and the last. Each is of one owner.
--
-- KEYS[1]  the cluster partition
-- Call     ListDeadErrors
-- ARGV     owner: text          Who submitted them; empty: anybody.
--          limit: int           Most of them.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<DeadError>)
-- include: claim walk

local function died_at(id)
  return redis.call('HGET', key.task(id), 'completed_at')
end

local function append_error(reply, error_key)
  local set = key.dead_by_error(error_key)
  local first, last = redis.call('ZRANGE', set, 0, 0)[1], redis.call('ZRANGE', set, -1, -1)[1]
  if not last then return false end
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = error_key, redis.call('ZCARD', set), died_at(first),
    died_at(last)
  return append_task(reply, last)
end

return walk_one(owner == '' and key.dead_errors or key.dead_errors_of(owner), nil,
  { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_error)
