-- Reads the journal: an agent's entries or all, from the newest or from the oldest on.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose entries; empty: all.
--          oldest_first: flag   From the first entry on, not from the last.
--          limit: int           Most entries.
--          after: int?          Number of the last that was read: the entry's, or its place among the
--                               agent's, from 1.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Entry>)
-- include: journal budget

local is_oldest_first = oldest_first == '1'
limit = tonumber(limit)
begin_step(filled)
local size
if agent_id == '' then
  size = tonumber(redis.call('HGET', key.ledger, 'entries')) or 0
else
  size = redis.call('LLEN', key.entries_of(agent_id))
end

local last = tonumber(after) or (is_oldest_first and 0 or size + 1)
local from = is_oldest_first and last + 1 or math.max(last - limit, 1)
local to = is_oldest_first and math.min(last + limit, size) or math.min(last - 1, size)
if from > to then return { 'ok', '', spent } end

-- The rows between two places, in the order in which they were written.
local function rows_between(first, final)
  if agent_id == '' then
    return redis.call('XRANGE', key.entries, int(first) .. '-0', int(final) .. '-0')
  end
  local rows = {}
  for _, number in ipairs(redis.call('LRANGE', key.entries_of(agent_id), first - 1, final - 1)) do
    local id = number .. '-0'
    rows[#rows + 1] = redis.call('XRANGE', key.entries, id, id)[1]
  end
  return rows
end

local function append_entry(reply, row)
  local bytes = 400
  reply[#reply + 1] = string.match(row[1], '^%d+')
  -- The fields stand in the order in which the journal writes them.
  for at = 2, #row[2], 2 do
    reply[#reply + 1] = row[2][at]
    bytes = bytes + #row[2][at]
  end
  return bytes
end

local reply = { 'ok', '', 0 }
if is_oldest_first and to < size then reply[2] = int(to) end
if not is_oldest_first and from > 1 then reply[2] = int(from) end
local rows = rows_between(from, to)
for i = 1, #rows do
  if is_step_full() or not add(reply, append_entry, rows[is_oldest_first and i or #rows + 1 - i]) then
    reply[2] = int(is_oldest_first and from + i - 2 or to - i + 2)
    break
  end
end
reply[3] = spent
return reply
