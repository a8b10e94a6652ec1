-- The same for the ledger as cluster/arrive for the cluster. The journal's numbers have no hole, so that
-- they cannot go on above those that were given out: where entries are missing that somebody has seen,
-- the journal says so itself, in an entry at the place.
--
-- KEYS[1]  the ledger partition
-- ARGV     era: int             The last era of the ledger that the caller knows; 0 for none.
--          seen: int            The number of the last entry that it has seen; 0 for none.
--          link: text           That entry's link.
-- Returns  ok(ArrivedAtLedger)
-- full: runs
-- include: journal

local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local row = redis.call('HMGET', key.ledger, 'server', 'era', 'entries', 'arrived_at', 'rolled_back')
local known, entries = tonumber(row[2] or nil) or 0, tonumber(row[3] or nil) or 0
local told, last = tonumber(era), tonumber(seen)
-- Behind which entry another history may have gone on.
local common = told == known and entries or math.min(tonumber(row[4] or nil) or entries, entries)
local is_new = row[1] ~= id or told > known
if is_new then
  common = entries
  known = math.max(known, told) + 1
  redis.call('HSET', key.ledger, 'server', id, 'era', int(known), 'arrived_at', int(entries))
end

local function is_there()
  local entry = redis.call('XRANGE', key.entries, int(last) .. '-0', int(last) .. '-0')[1]
  return entry ~= nil and entry[2][#entry[2]] == link
end

local reply = { 'ok', is_new and 1 or 0, int(known), 0, 0, 0 }
if last > 0 and not is_there() then
  local first = math.min(common, last - 1) + 1
  local noted = { string.match(row[5] or '', '^(%d+) (%d+)$') }
  -- Another host has said so before.
  local is_said = noted[1] and first >= tonumber(noted[1]) and last <= tonumber(noted[2])
  if not is_said then
    redis.call('HSET', key.ledger, 'rolled_back', int(first) .. ' ' .. int(last))
    post('restored', '', 'entries ' .. int(first) .. ' to ' .. int(last) .. ' are no more', {}, {})
  end
  reply[4], reply[5], reply[6] = int(first), int(last), is_said and 0 or 1
end
return reply
