-- Lists tasks, newest first, by any of status, node, user, session and owner.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 status · 4 node · 5 user · 6 session · 7 owner ('' for none) · 8 limit · 9 submission
--          number to go on below ('' from the top) · 10 most entries to look at
-- Returns  'ok', submission number to go on below ('' at the end), task rows…
-- include: now clock event queue node claim budget walk

local indexes = {}
if ARGV[3] ~= '' then indexes[#indexes + 1] = key.tasks_by_status(ARGV[3]) end
if ARGV[4] ~= '' then indexes[#indexes + 1] = key.tasks_by_node(ARGV[4]) end
if ARGV[5] ~= '' then indexes[#indexes + 1] = key.tasks_by_user(ARGV[5]) end
if ARGV[6] ~= '' then indexes[#indexes + 1] = key.tasks_by_session(ARGV[6]) end
if ARGV[7] ~= '' then indexes[#indexes + 1] = key.tasks_by_owner(ARGV[7]) end
if #indexes == 0 then indexes[1] = key.task_list end

return walk(indexes, { ARGV[8], ARGV[9], ARGV[10] }, { 'ok', '' }, append_task)
