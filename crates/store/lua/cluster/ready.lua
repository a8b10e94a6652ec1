-- Asks whether Redis can be written, and its data is of a version that this program knows.
--
-- KEYS[1]  the cluster partition
-- Call     CheckReady
-- ARGV     none
-- Returns  Readiness:
--          ok                   It can be written.
--          newer_schema(int)    The data was written by a newer program: upgrade this one.

local schema = redis.call('GET', key.schema)
if not schema then
  redis.call('SET', key.schema, SCHEMA_AT_FIRST)
elseif tonumber(schema) > SCHEMA then
  return { 'newer_schema', tonumber(schema) }
end
redis.call('SET', key.ready, '1', 'PX', 10000)
return { 'ok' }
