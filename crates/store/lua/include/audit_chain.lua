-- A partition's chain of audit entries: `audit_head` says how many there are (entries), the last one's link,
-- the number of the first that is kept (kept_from), how many seals were made (sealed), the last of them, the
-- number of the first of them that is kept (seals_from), and how many entries could not be written (lost).
-- Entries and seals are dropped from the old end, a seal's entries at a time: what is kept begins where a
-- seal does, and the seal before is kept with it.

-- Drops the entries before one, which is the first of a seal.
local function drop_audit(first)
  redis.pcall('XTRIM', key.audit, 'MINID', string.format('%.0f-0', first))
  local row = redis.call('HMGET', key.audit_head, 'sealed', 'seals_from')
  local sealed, from = tonumber(row[1]) or 0, tonumber(row[2]) or 0
  local number = (first - 1) / AUDIT_SEAL_ENTRIES
  if sealed < number then
    -- Nobody has sealed them. What is sealed from here on begins anew.
    redis.call('DEL', key.audit_seals)
    redis.call('HSET', key.audit_head, 'sealed', number, 'seal', '', 'seals_from', number)
  else
    for old = from, number - 2 do redis.call('HDEL', key.audit_seals, old) end
    redis.call('HSET', key.audit_head, 'seals_from', math.max(from, number - 1))
  end
  redis.call('HSET', key.audit_head, 'kept_from', string.format('%.0f', first))
end
