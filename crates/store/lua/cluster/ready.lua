-- Proves that Redis can be written, and that this program knows the data in it.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 version of the data that the caller knows
-- Returns  'ok' · 'newer_schema', version

local schema = redis.call('GET', key.schema)
if not schema then
  redis.call('SET', key.schema, ARGV[3])
elseif tonumber(schema) > tonumber(ARGV[3]) then
  return { 'newer_schema', tonumber(schema) }
end
redis.call('SET', key.ready, '1', 'PX', 10000)
return { 'ok' }
