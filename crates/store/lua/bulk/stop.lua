-- Stops a change of many tasks; what it has done stays.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          bulk_id: BulkId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Stopped:
--          ok                   It does nothing more.
--          not_found            There is none.
--          forbidden            It is somebody else's.
--          state(text)          It has ended.
-- Emits    bulk_ended
-- full: runs
-- include: records once node bulk audit

local function run()
  local row = redis.call('HMGET', key.bulk(bulk_id), 'owner', 'status')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[1], writer) then return { 'forbidden' } end
  if row[2] ~= 'counting' and row[2] ~= 'running' then return { 'state', row[2] } end
  end_bulk(bulk_id, 'stopped')
  audit('bulk.stop', bulk_id, facts('status', row[2]), facts('status', 'stopped'))
  keep_clock()
  return { 'ok' }
end

return once(run)
