-- Appends a value that may be large: itself and 0, or nothing, its bytes, its key and, in a hash, its field.
-- (crates/store/src/apart.rs)
local function append_value(reply, at, field)
  local n, bytes = #reply
  if field then bytes = redis.call('HSTRLEN', at, field) else bytes = redis.call('STRLEN', at) end
  if bytes > APART_BYTES then
    reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = '', bytes, at, field or ''
    return bytes
  end
  local value
  if field then value = redis.call('HGET', at, field) else value = redis.call('GET', at) end
  reply[n + 1], reply[n + 2] = value or '', 0
  return bytes
end
