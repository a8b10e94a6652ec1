-- The audit: who has changed what, in one entry that is written in the same script as the change, and linked
-- to the one before (contract.md §9). ARGV[3] says who; it is empty where nobody has to know, and then this
-- costs nothing.
-- include: now linked audit_chain quota

-- What characters beyond ASCII look like.
local UTF_8 = { '[\194-\223][\128-\191]', '\224[\160-\191][\128-\191]', '\237[\128-\159][\128-\191]',
  '[\225-\236\238\239][\128-\191][\128-\191]', '\240[\144-\191][\128-\191][\128-\191]',
  '[\241-\243][\128-\191][\128-\191][\128-\191]', '\244[\128-\143][\128-\191][\128-\191]' }

-- An object of names and values in turn, as JSON. A value that is nil or empty is left out; one in a table
-- is JSON already.
local function facts(...)
  local parts = {}
  for i = 1, select('#', ...), 2 do
    local name, value = select(i, ...)
    if type(value) == 'table' then
      value = value[1]
    elseif value and value ~= '' then
      value = cjson.encode(value)
    end
    if value and value ~= '' then parts[#parts + 1] = '"' .. name .. '":' .. value end
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

-- The same of fields of a hash as they are now, each with its kind: t for a text, n for a number, f for a
-- flag (`1` or not), j for JSON. Nothing where there is none of them.
local function facts_of(name, kinds)
  local fields, listed = {}, {}
  for field in string.gmatch(kinds, '(%S+) %S') do fields[#fields + 1] = field end
  local row, at, is_there = redis.call('HMGET', name, unpack(fields)), 0, false
  for field, kind in string.gmatch(kinds, '(%S+) (%S)') do
    at = at + 1
    local value = row[at] or ''
    is_there = is_there or row[at]
    if kind == 'n' then
      value = tonumber(value) or ''
    elseif kind == 'f' then
      value = { value == '1' and 'true' or 'false' }
    elseif kind == 'j' then
      value = { value }
    end
    listed[2 * at - 1], listed[2 * at] = field, value
  end
  return is_there and facts(unpack(listed)) or ''
end

-- Ids as a JSON array, not too many of them.
local function ids(list, from)
  local parts = {}
  for i = from, math.min(#list, from + AUDIT_IDS - 1) do parts[#parts + 1] = cjson.encode(list[i]) end
  return { '[' .. table.concat(parts, ',') .. ']' }
end

-- A text as it is kept: where it is no UTF-8, since some old client wrote it, without what is none of ASCII.
local function clean(text)
  if not string.find(text, '[\128-\255]') then return text end
  local rest = text
  for _, pattern in ipairs(UTF_8) do rest = string.gsub(rest, pattern, ' ') end
  if not string.find(rest, '[\128-\255]') then return text end
  return (string.gsub(text, '[\128-\255]', '?'))
end

-- What is too long for an entry: how long it is, and how it begins.
local function bounded(json)
  json = clean(json)
  if #json <= AUDIT_FACTS_BYTES then return json end
  -- Not within a character.
  local head = string.gsub(string.sub(json, 1, AUDIT_CUT_BYTES), '[\194-\244][\128-\191]*$', '')
  return '{"cut":true,"bytes":' .. #json .. ',"begins":' .. cjson.encode(head) .. '}'
end

-- The answer to somebody of whom the audit tells as much within a day as it tells of one; nil for others. It
-- is asked before anything is done, so that nothing is done untold, and nobody pushes out what is told of
-- others.
local function over_audit()
  if ARGV[3] == '' then return end
  local by = cjson.decode(ARGV[3])
  if by[6] == '' then return end
  return over_quota('quota_audit', by[6], tonumber(redis.call('GET', key.audit_of(by[1])) or 0), 1)
end

-- Appends an entry: an action such as `task.cancel`, what it was done to, and what that was before and is
-- afterwards (JSON, or nothing). What stays as it was is none.
local function audit(action, target, before, after)
  if ARGV[3] == '' or (before and before ~= '' and before == after) then return end
  local by = cjson.decode(ARGV[3])
  if by[6] ~= '' and redis.call('INCR', key.audit_of(by[1])) == 1 then
    redis.call('PEXPIRE', key.audit_of(by[1]), AUDIT_DAY_MS)
  end
  local head = redis.call('HMGET', key.audit_head, 'entries', 'link', 'kept_from')
  local seq, previous = string.format('%.0f', (tonumber(head[1]) or 0) + 1), head[2] or NO_LINK
  local fields = { 'at', string.format('%.0f', now), 'actor', by[1], 'key_id', by[2], 'via', by[3],
    'action', action, 'target', clean(target), 'reason', by[4], 'request_id', by[5],
    'before', bounded(before or ''), 'after', bounded(after or ''), 'previous', previous }
  local text = part(seq)
  for i = 2, 20, 2 do text = text .. part(fields[i]) end
  fields[23], fields[24] = 'link', redis.sha1hex(previous .. text)
  -- What somebody else has put into that key must not undo half of a change.
  local written = redis.pcall('XADD', key.audit, seq .. '-0', unpack(fields))
  if type(written) == 'table' and written.err then
    redis.call('HINCRBY', key.audit_head, 'lost', 1)
    return
  end
  redis.call('HSET', key.audit_head, 'entries', seq, 'link', fields[24])
  local first = tonumber(head[3]) or 1
  if seq - first >= AUDIT_ENTRIES_HELD then drop_audit(first + AUDIT_SEAL_ENTRIES) end
end
