-- The limits as they are set and shown.
-- include: begin_wait event clock

-- Appends a limit to a reply. Returns about how many bytes it has as JSON; false if there is none.
local function append_limit(reply, name)
  local row = redis.call('HMGET', key.limit(name), 'concurrency', 'rates', 'paused', 'per_owner', 'note',
    'updated_by', 'updated_at')
  if not row[2] then return false end
  local n = #reply
  reply[n + 1] = name
  for i = 1, 7 do reply[n + 1 + i] = row[i] end
  reply[n + 9] = redis.call('SCARD', key.limit_held(name)) + redis.call('SCARD', key.limit_held(name .. '//'))
  return 400 + 2 * #row[2] + 6 * #row[5]
end

-- Opens, in the steps that follow, every use of a limit for which classes are parked: whatever is still
-- shut is found so again.
local function open_all_of(name)
  local uses, length = redis.call('HVALS', key.parked_classes), #name + 1
  for _, use in ipairs(uses) do
    if string.sub(use, 1, length) == name .. '/' then redis.call('ZADD', key.limits_opening, 0, use) end
  end
end
