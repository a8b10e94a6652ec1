-- Lists the tasks that a filter finds, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     filter: &'a Filter   Which.
--          limit: int           Most tasks.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(FoundPage)
-- include: claim find

local reply, scanned = find(cjson.decode(filter), { limit, below, LIST_SCAN_MAX, filled = filled },
  { 'ok', '', 0, 0 }, append_task)
reply[4] = scanned
return reply
