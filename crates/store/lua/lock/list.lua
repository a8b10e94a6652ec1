-- Lists the locks that somebody holds, the latest change of holder first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most locks.
--          below: int?          [`Page::next`] of the page before.
-- Returns  ok(Page)
-- include: lock walk

return walk_one(key.locks, nil, { limit, below, LIST_SCAN_MAX }, { 'ok', '' }, append_lock)
