-- Reads a budget.
--
-- KEYS[1]  the cluster partition
-- ARGV     owner: text          Whose tasks.
--          scope: text          `owner`, `user` or `group`.
--          of_id: text          Which agent, user or group.
-- Returns  ok(Box<Budget>)
--          not_found
-- include: shown_budget

local reply = { 'ok' }
return append_budget(reply, owner .. '/' .. scope .. '/' .. of_id) and reply or { 'not_found' }
