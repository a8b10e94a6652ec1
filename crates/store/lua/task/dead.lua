-- Lists dead letters, latest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 owner ('' for all) · 4 limit · 5 number to go on below ('' from the top) · 6 most
--          entries to look at
-- Returns  'ok', number to go on below ('' at the end), task rows…
-- include: now clock event queue node claim budget walk

local function is_owners(id)
  return redis.call('HGET', key.task(id), 'owner') == ARGV[3]
end

return walk_one(key.dead_tasks, ARGV[3] ~= '' and is_owners, { ARGV[4], ARGV[5], ARGV[6] },
  { 'ok', '' }, append_task)
