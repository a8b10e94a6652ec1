-- Reads a group.
--
-- KEYS[1]  the cluster partition
-- ARGV     group_id: GroupId    Which.
-- Returns  ok(Box<Owned<Group>>)
--          not_found

local row = redis.call('HMGET', key.group(group_id), 'owner', 'name', 'status', 'sealed', 'total',
  'open', 'completed', 'failed', 'cancelled', 'timeout', 'parent', 'first_failure', 'created_at',
  'ended_at')
if not row[1] then return { 'not_found' } end
for i = 1, 14 do row[i] = row[i] or '' end
return { 'ok', group_id, unpack(row) }
