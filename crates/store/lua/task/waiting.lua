-- Lists tasks that wait for a node, in the order of claiming.
--
-- KEYS[1]  the cluster partition
-- Call     ListWaiting
-- ARGV     owner: text          Who submitted them; empty: anybody.
--          limit: int           Most tasks.
--          after: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Task>)
-- include: claim walk

local function is_owners(id)
  return redis.call('HGET', key.task(id), 'owner') == owner
end

return walk_one(key.waiting_tasks, owner ~= '' and is_owners,
  { limit, after, LIST_SCAN_MAX, ascending = true, filled = filled }, { 'ok', '', 0 },
  append_task)
