-- Lists schedules, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     owner: text          Whose; everybody's.
--          limit: int           Most schedules.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Schedule>)
-- include: schedule walk

local index = owner == '' and key.schedules or key.schedules_by_owner(owner)
return walk_one(index, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_schedule)
