-- Lists schedules, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     owner: text          Whose; everybody's.
--          limit: int           Most schedules.
--          below: int?          [`Page::next`] of the page before.
-- Returns  ok(Page)
-- include: schedule walk

local index = owner == '' and key.schedules or key.schedules_by_owner(owner)
return walk_one(index, nil, { limit, below, LIST_SCAN_MAX }, { 'ok', '' }, append_schedule)
