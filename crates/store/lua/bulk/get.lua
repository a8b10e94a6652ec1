-- Reads a change of many tasks.
--
-- KEYS[1]  the cluster partition
-- ARGV     bulk_id: BulkId      Which.
-- Returns  ok(Box<Owned<Bulk>>)
--          not_found

local row = redis.call('HMGET', key.bulk(bulk_id), 'owner', 'action', 'priority', 'status', 'filter',
  'most', 'reason', 'matched', 'sample', 'done', 'skipped', 'failed', 'created_at', 'ended_at')
if not row[1] then return { 'not_found' } end
row[14] = row[14] or ''
return { 'ok', bulk_id, unpack(row) }
