-- Lists budgets, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     writer: Writer<'a>   Who asks: those of its own tasks; '' sees all.
--          limit: int           Most budgets.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Budget>)
-- include: shown_budget walk

local index = writer == '' and key.budgets or key.budgets_by_owner(writer)
return walk_one(index, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_budget)
