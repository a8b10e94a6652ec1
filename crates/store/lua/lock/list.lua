-- Lists the locks that somebody holds, the latest change of holder first.
--
-- KEYS[1]  the cluster partition
-- ARGV     limit: int           Most locks.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Lock>)
-- include: lock walk

return walk_one(key.locks, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_lock)
