-- Lists the limits, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most limits.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Limit>)
-- include: limits walk

return walk_one(key.limits, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_limit)
