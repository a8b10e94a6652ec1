-- Lists nodes, newest registration first, by any of status, skill and tag. Empty filters do not filter.
--
-- KEYS[1]  the cluster partition
-- ARGV     status: text         A status.
--          skill: text          A skill, exactly.
--          tag: text            A tag, exactly.
--          limit: int           Most nodes.
--          below: int?          [`Page::next`] of the page before: the number of a registration.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Node>)
-- include: node walk

local indexes = {}
if status == 'online' and skill ~= '' then
  indexes[1] = key.online_by_skill(skill)
else
  if status ~= '' then indexes[#indexes + 1] = key.by_status(status) end
  if skill ~= '' then indexes[#indexes + 1] = key.by_skill(skill) end
end
if tag ~= '' then indexes[#indexes + 1] = key.by_tag(tag) end
if #indexes == 0 then indexes[1] = key.nodes end

return walk(indexes, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_node)
