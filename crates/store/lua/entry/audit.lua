-- Reads what lies in the ledger's keys, some at a time and as it lies there, for comparing it with
-- the journal. No index leads to what somebody else has put there, so all keys are looked through.
--
-- KEYS[1]  the ledger partition
-- ARGV     cursor: text         Where the page before said to go on; `0` to begin.
-- Returns  ok(Audited)
-- include: foreign

local reply

-- What ids and numbers are made of; whatever else lies there is shown as `?`.
local function plain(value)
  return (string.gsub(value or '', '[^%w._@-]', '?'))
end

local function record(kind, id, fields)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3] = kind, plain(id), #fields / 2
  for i, value in ipairs(fields) do reply[n + 3 + i] = value end
end

-- Fields of a hash, which may be no hash.
local function fields_of(name, names)
  local row = foreign('HMGET', name, unpack(names)) or {}
  local fields = {}
  for i, field in ipairs(names) do
    fields[2 * i - 1], fields[2 * i] = field, plain(row[i])
  end
  return fields
end

-- Those of a thing's indexes that do not have it in its place.
local function add_unlisted(fields, indexes, id, seq)
  local missing = {}
  for _, index in ipairs(indexes) do
    local place = foreign('ZSCORE', index[2], id)
    if not place or (not index[3] and place ~= seq) then missing[#missing + 1] = index[1] end
  end
  fields[#fields + 1], fields[#fields + 2] = 'unlisted', table.concat(missing, ' ')
end

local HOLD_FIELDS = { 'agent_id', 'amount', 'posted', 'status', 'to_agent', 'entry', 'seq',
  'expires_at' }

local INTENT_FIELDS = { 'agent_id', 'size', 'filled', 'leverage', 'margin', 'status', 'entry',
  'seq', 'asset' }

local POSITION_FIELDS = { 'agent_id', 'margin', 'status', 'intent_id', 'match_id',
  'counter_position', 'realized_pnl', 'seq' }

local readers = {
  {
    'account', key.account(''), function(id, name)
      local fields = fields_of(name, { 'balance', 'locked' })
      fields[5], fields[6] = 'mirror', plain(foreign('GET', key.balance(id)))
      fields[7], fields[8] = 'agent', redis.call('EXISTS', key.agent(id))
      return fields
    end,
  },
  {
    'mirror', key.balance(''), function(id)
      return { 'account', redis.call('EXISTS', key.account(id)) }
    end,
  },
  {
    'agent', key.agent(''), function(id)
      return { 'listed', foreign('ZSCORE', key.agents, id) and 1 or 0 }
    end,
  },
  {
    'index', key.entries_of(''), function(_, name)
      return { 'length', foreign('LLEN', name) or 'none' }
    end,
  },
  {
    'hold', key.hold(''), function(id, name)
      local fields = fields_of(name, HOLD_FIELDS)
      local indexes = {
        { 'all', key.holds }, { 'agent', key.holds_by_agent(fields[2]) },
        { 'status', key.holds_by_status(fields[8]) },
      }
      if fields[8] == 'pending' and fields[16] ~= '' then
        indexes[4] = { 'due', key.due_holds, true }
      end
      add_unlisted(fields, indexes, id, fields[14])
      return fields
    end,
  },
  {
    'intent', key.intent(''), function(id, name)
      local fields = fields_of(name, INTENT_FIELDS)
      add_unlisted(fields, {
        { 'all', key.intents }, { 'agent', key.intents_by_agent(fields[2]) },
        { 'asset', key.intents_by_asset(fields[18]) },
        { 'status', key.intents_by_status(fields[12]) },
      }, id, fields[16])
      return fields
    end,
  },
  {
    'position', key.position(''), function(id, name)
      local fields = fields_of(name, POSITION_FIELDS)
      local indexes = { { 'agent', key.positions_by_agent(fields[2]) } }
      if fields[6] == 'open' then indexes[2] = { 'open', key.open_positions(fields[2]) } end
      add_unlisted(fields, indexes, id, fields[16])
      return fields
    end,
  },
}

local page = redis.call('SCAN', cursor, 'COUNT', AUDIT_KEYS)
reply = { 'ok', page[1] }

local ledger = fields_of(key.ledger, { 'entries', 'link', 'holds', 'intents', 'positions', 'agents',
  'sealed', 'seal' })
local last = (foreign('XREVRANGE', key.entries, '+', '-', 'COUNT', 1) or {})[1]
for _, value in ipairs({
  'length', foreign('XLEN', key.entries) or 'none', 'last', last and plain(last[1]) or '',
  'last_link', last and plain(last[2][#last[2]]) or '', 'seals', foreign('HLEN', key.seals) or 'none',
}) do
  ledger[#ledger + 1] = value
end
record('ledger', '', ledger)

for _, name in ipairs(page[2]) do
  for _, reader in ipairs(readers) do
    local prefix = reader[2]
    if string.sub(name, 1, #prefix) == prefix then
      local id = string.sub(name, #prefix + 1)
      record(reader[1], id, reader[3](id, name))
      break
    end
  end
end
return reply
