-- Lists tasks that wait for a node, in the order of claiming.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 owner ('' for all) · 4 limit · 5 rank to go on behind ('' from the first) · 6 most
--          entries to look at
-- Returns  'ok', rank to go on behind ('' at the end), task rows…
-- include: now clock event queue node claim budget walk

local function is_owners(id)
  return redis.call('HGET', key.task(id), 'owner') == ARGV[3]
end

return walk_one(key.waiting_tasks, ARGV[3] ~= '' and is_owners,
  { ARGV[4], ARGV[5], ARGV[6], ascending = true }, { 'ok', '' }, append_task)
