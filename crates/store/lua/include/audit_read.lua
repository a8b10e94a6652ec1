-- Reading a chain of audit entries, and sealing it; the same for each partition that has one.
-- include: now linked audit_chain budget

local ENTRY_FIELDS = { 'at', 'actor', 'key_id', 'via', 'action', 'target', 'reason', 'request_id', 'before',
  'after', 'previous', 'link' }

-- Fields of an entry by name; somebody else may have written anything.
local function named(fields)
  local values = {}
  for i = 1, #fields, 2 do values[fields[i]] = fields[i + 1] end
  return values
end

-- Whether a filter lets a text through; one that ends in `*` asks how it begins.
local function fits(text, wanted)
  if wanted == '' then return true end
  if string.sub(wanted, -1) == '*' then
    return string.sub(text or '', 1, #wanted - 1) == string.sub(wanted, 1, -2)
  end
  return text == wanted
end

-- A step of a page: where the next begins (empty: nothing is left), how many bytes are listed by now, how many
-- entries were looked at, when the last of them was written, and the entries: id, then their fields. Those that
-- a filter keeps back are looked at, too.
local function list_audit(oldest_first, limit, after, filled, actor, action, target)
  local reply, listed, looked, last, at = { 'ok', '', 0, 0, '' }, 0, 0, after, 0
  begin_step(filled)
  local function append(into, row)
    local values, bytes = named(row[2]), 400
    into[#into + 1] = row[1]
    for _, field in ipairs(ENTRY_FIELDS) do
      into[#into + 1] = values[field] or ''
      bytes = bytes + #(values[field] or '')
    end
    return bytes
  end
  local most = AUDIT_STEP
  if actor .. action .. target == '' then most = math.min(most, limit) + 1 end
  local function read(count)
    if oldest_first == '1' then
      return redis.call('XRANGE', key.audit, last == '' and '-' or '(' .. last, '+', 'COUNT', count)
    end
    return redis.call('XREVRANGE', key.audit, last == '' and '+' or '(' .. last, '-', 'COUNT', count)
  end
  local is_full, is_over = false, false
  while not is_full and not is_over and looked < most do
    local batch = math.min(most - looked, EVENTS_READ)
    local page = read(batch)
    for _, row in ipairs(page) do
      local values = named(row[2])
      if fits(values.actor, actor) and fits(values.action, action) and fits(values.target, target) then
        is_full = listed == limit or is_step_full() or add(reply, append, row) == false
        if is_full then break end
        listed = listed + 1
      end
      last, at, looked = row[1], tonumber(values.at) or 0, looked + 1
    end
    is_over = #page < batch
  end
  if not is_over or is_full then reply[2] = last end
  reply[3], reply[4], reply[5] = spent, looked, string.format('%.0f', at)
  return reply
end

-- What the chain's head says, then the seals from a number on: entries, link, begin, lost, the seal before
-- the first kept entry (empty for none), how many were made, the number of the first that is listed, and
-- those.
local function list_audit_seals(from, limit)
  local row = redis.call('HMGET', key.audit_head, 'entries', 'link', 'kept_from', 'lost', 'sealed')
  local first = tonumber(row[3]) or 1
  local number, made = (first - 1) / AUDIT_SEAL_ENTRIES, tonumber(row[5]) or 0
  local before = number > 0 and redis.call('HGET', key.audit_seals, number - 1) or ''
  from = math.max(from, number)
  local reply = { 'ok', row[1] or '0', row[2] or NO_LINK, first, row[4] or '0', before, made, from }
  for seal = from, math.min(made, from + limit) - 1 do
    reply[#reply + 1] = redis.call('HGET', key.audit_seals, seal) or ''
  end
  return reply
end

-- Drops what has been kept long enough and is sealed, some at a time; then the links that the next seal
-- covers, once there are as many. Where seals are missing or another was seen, nothing is sealed, so that
-- nobody gets a new one by deleting the old one.
local function tend_audit(seen, seen_last, most, kept_ms)
  local row = redis.call('HMGET', key.audit_head, 'sealed', 'seal', 'entries', 'kept_from', 'seals_from')
  local number, entries = tonumber(row[1]) or 0, tonumber(row[3]) or 0
  local from, begin = tonumber(row[5]) or 0, tonumber(row[4]) or 1
  local first = begin
  for _ = 1, AUDIT_SEALS_DROPPED do
    local last = first + AUDIT_SEAL_ENTRIES - 1
    if last > number * AUDIT_SEAL_ENTRIES then break end
    if entries - last < most then
      local id = string.format('%.0f-0', last)
      local entry = redis.call('XRANGE', key.audit, id, id)[1]
      if not entry or (tonumber(named(entry[2]).at) or now) > now - kept_ms then break end
    end
    first = last + 1
  end
  local there = redis.call('HLEN', key.audit_seals)
  local before = number > from and redis.call('HGET', key.audit_seals, number - 1) or ''
  local is_as_seen = number >= seen
    and (seen <= from or redis.call('HGET', key.audit_seals, seen - 1) == seen_last)
  if there ~= number - from or (number > from and before ~= row[2]) or not is_as_seen then
    return { 'broken', number - from, there }
  end
  if first > begin then drop_audit(first) end
  local reply = { 'ok', number, before }
  if entries < (number + 1) * AUDIT_SEAL_ENTRIES then return reply end
  local id = string.format('%.0f-0', number * AUDIT_SEAL_ENTRIES + 1)
  for _, entry in ipairs(redis.call('XRANGE', key.audit, id, '+', 'COUNT', AUDIT_SEAL_ENTRIES)) do
    reply[#reply + 1] = named(entry[2]).link or ''
  end
  return reply
end

-- Keeps a seal. Whoever else has made the same one has made the same.
local function keep_audit_seal(number, seal)
  local is_next = (tonumber(redis.call('HGET', key.audit_head, 'sealed')) or 0) == tonumber(number)
  if is_next then
    redis.call('HSET', key.audit_seals, number, seal)
    redis.call('HSET', key.audit_head, 'sealed', number + 1, 'seal', seal)
  end
  return { 'ok', is_next and 1 or 0 }
end
