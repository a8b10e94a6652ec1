-- Lists dead letters, latest first.
--
-- KEYS[1]  the cluster partition
-- Call     ListDead
-- ARGV     owner: text          Who submitted them; empty: anybody.
--          limit: int           Most tasks.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Task>)
-- include: claim walk

local function is_owners(id)
  return redis.call('HGET', key.task(id), 'owner') == owner
end

return walk_one(key.dead_tasks, owner ~= '' and is_owners,
  { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_task)
