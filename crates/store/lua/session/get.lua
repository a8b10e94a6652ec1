-- Reads a session.
--
-- KEYS[1]  the session partition
-- ARGV     session_id: SessionId  Which.
--          bytes_max: Option<usize>
--                               Most bytes of metadata: a larger one is not read. `None` for any.
-- Returns  Fitting<>:
--          ok(Owned<Session>)

local row = redis.call('HMGET', key.session(session_id), 'owner', 'user_id', 'status', 'metadata',
  'created_at', 'updated_at', 'audience', 'if_busy')
if not row[1] then return { 'not_found' } end
if bytes_max ~= '' and #row[4] > tonumber(bytes_max) then return { 'large' } end
row[7], row[8] = row[7] or '', row[8] or ''
return { 'ok', session_id, unpack(row) }
