-- Lists tasks, newest first, by any of status, node, user, session and owner. Empty filters do not
-- filter.
--
-- KEYS[1]  the cluster partition
-- ARGV     status: text         A status.
--          node_id: text        The node that runs it or ended it.
--          user_id: text        Whom it is for.
--          session_id: SessionId?  The session that it belongs to.
--          owner: text          Who submitted it.
--          limit: int           Most tasks.
--          below: int?          [`Page::next`] of the page before.
-- Returns  ok(Page)
-- include: claim walk

local indexes = {}
if status ~= '' then indexes[#indexes + 1] = key.tasks_by_status(status) end
if node_id ~= '' then indexes[#indexes + 1] = key.tasks_by_node(node_id) end
if user_id ~= '' then indexes[#indexes + 1] = key.tasks_by_user(user_id) end
if session_id ~= '' then indexes[#indexes + 1] = key.tasks_by_session(session_id) end
if owner ~= '' then indexes[#indexes + 1] = key.tasks_by_owner(owner) end
if #indexes == 0 then indexes[1] = key.task_list end

return walk(indexes, { limit, below, LIST_SCAN_MAX }, { 'ok', '' }, append_task)
