-- Lists the limits, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most limits.
--          below: int?          [`Page::next`] of the page before.
-- Returns  ok(Page)
-- include: limits walk

return walk_one(key.limits, nil, { limit, below, LIST_SCAN_MAX }, { 'ok', '' }, append_limit)
