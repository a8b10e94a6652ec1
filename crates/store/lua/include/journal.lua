-- Money and its journal. Amounts are whole numbers of millionths, at most 2^53-1, which Lua's
-- doubles hold exactly. Each movement is one entry, linked to the one before: an account's balance
-- is the sum of its legs, and what is reserved of it the sum of its locks.
-- include: now linked

local EXTERNAL = '@external'

-- A whole number as text: Lua by itself rounds those of more than 14 digits.
local function int(number)
  return string.format('%.0f', number + 0)
end

-- The whole part of a quotient, exact for whole numbers up to 2^53.
local function quotient(a, b)
  return (a - math.fmod(a, b)) / b
end

-- An amount as old readers know it: `12.5`.
local function decimal(amount)
  local size = math.abs(amount)
  local text = string.format('%.0f.%06.0f', quotient(size, 1000000), math.fmod(size, 1000000))
  text = string.gsub(text, '%.?0+$', '')
  return (amount < 0 and '-' or '') .. text
end

local accounts = {}

-- An account as it is, or as this script has changed it so far.
local function account(id)
  if not accounts[id] then
    local row = redis.call('HMGET', key.account(id), 'balance', 'locked')
    accounts[id] = { balance = tonumber(row[1]) or 0, locked = tonumber(row[2]) or 0 }
  end
  return accounts[id]
end

local function available(id)
  return account(id).balance - account(id).locked
end

-- Appends what an account has to a reply: balance, locked.
local function append_account(reply, id)
  reply[#reply + 1] = int(account(id).balance)
  reply[#reply + 1] = int(account(id).locked)
end

local function is_agent(id)
  return redis.call('EXISTS', key.agent(id)) == 1
end

-- What an entry reserved for a thing when it came to be: for whom, and how much. Nothing if it is not
-- that thing's entry.
local function reserved(entry, kind, id)
  if not string.match(entry or '', '^%d+$') or #entry > 15 then return nil end
  local row = redis.call('XRANGE', key.entries, entry .. '-0', entry .. '-0')[1]
  -- At, kind, reference, memo, legs, locks: names and values in turn.
  if not row or row[2][4] ~= kind or row[2][6] ~= id then return nil end
  local agent, amount = string.match(row[2][12] or '', '^(%S+) (%d+)$')
  return agent, tonumber(amount)
end

-- Refuses to move money by something that is not what the journal says of it. The word is for the
-- monitor, which tells the operator.
local function altered(what, id)
  redis.call('HSET', key.ledger, 'alarm', what .. ' ' .. id)
  return { 'altered' }
end

-- Changes accounts (account and amount in turn); returns the changes as the journal keeps them, and
-- as their part of the text under the link. Rust makes the same text (journal.rs).
local function change(changes, field, changed)
  local kept, linked = {}, { part(#changes / 2 .. '') }
  for i = 1, #changes, 2 do
    local id, amount = changes[i], int(changes[i + 1])
    account(id)[field] = account(id)[field] + changes[i + 1]
    kept[i], kept[i + 1] = id, amount
    linked[i + 1], linked[i + 2] = part(id), part(amount)
    if not changed[id] then
      changed[id] = true
      changed[#changed + 1] = id
    end
  end
  return table.concat(kept, ' '), table.concat(linked)
end

local function save_account(id)
  local now_has = account(id)
  redis.call('HSET', key.account(id), 'balance', int(now_has.balance), 'locked',
    int(now_has.locked))
  redis.call('SET', key.balance(id), decimal(now_has.balance))
end

-- Appends an entry and does what it says. Whoever calls has checked that every account can bear it:
-- Redis takes nothing back. `parties` are agents that it concerns though it moves nothing of theirs.
-- Returns the entry's number.
local function post(kind, reference, memo, legs, locks, parties)
  local head = redis.call('HMGET', key.ledger, 'entries', 'link')
  local seq, previous = int((tonumber(head[1]) or 0) + 1), head[2] or NO_LINK
  local at, changed = int(now), {}
  local kept_legs, linked_legs = change(legs, 'balance', changed)
  local kept_locks, linked_locks = change(locks, 'locked', changed)
  local link = redis.sha1hex(previous .. part(seq) .. part(at) .. part(kind) .. part(reference)
    .. part(memo) .. linked_legs .. linked_locks)
  redis.call('XADD', key.entries, seq .. '-0', 'at', at, 'kind', kind, 'reference', reference,
    'memo', memo, 'legs', kept_legs, 'locks', kept_locks, 'previous', previous, 'link', link)
  redis.call('HSET', key.ledger, 'entries', seq, 'link', link)
  for _, id in ipairs(changed) do save_account(id) end
  for _, id in ipairs(parties or changed) do
    if string.sub(id, 1, 1) ~= '@' then redis.call('RPUSH', key.entries_of(id), seq) end
  end
  return seq
end
