-- Lists nodes, newest registration first, by any of status, skill and tag.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 status · 4 skill · 5 tag ('' for none) · 6 limit · 7 registration number to go on
--          below ('' from the top) · 8 most index entries to look at
-- Returns  'ok', registration number to go on below ('' at the end), rows…
-- include: now clock foreign rfc3339 event queue node budget walk

local indexes = {}
if ARGV[3] == 'online' and ARGV[4] ~= '' then
  indexes[1] = key.online_by_skill(ARGV[4])
else
  if ARGV[3] ~= '' then indexes[#indexes + 1] = key.by_status(ARGV[3]) end
  if ARGV[4] ~= '' then indexes[#indexes + 1] = key.by_skill(ARGV[4]) end
end
if ARGV[5] ~= '' then indexes[#indexes + 1] = key.by_tag(ARGV[5]) end
if #indexes == 0 then indexes[1] = key.nodes end

return walk(indexes, { ARGV[6], ARGV[7], ARGV[8] }, { 'ok', '' }, append_node)
