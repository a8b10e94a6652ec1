-- Lists the tasks of a group, in the order in which they were submitted.
--
-- KEYS[1]  the cluster partition
-- ARGV     group_id: GroupId    Which.
--          owner: text          Only if it is this one's; empty: anybody's.
--          limit: int           Most tasks.
--          after: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Following>)
--          not_found
-- include: followed walk

local of = redis.call('HGET', key.group(group_id), 'owner')
if not of or (owner ~= '' and of ~= owner) then return { 'not_found' } end
return walk_one(key.group_tasks(group_id), nil,
  { limit, after, LIST_SCAN_MAX, ascending = true, filled = filled }, { 'ok', '', 0 }, append_following)
