-- Positions: two for each match, whose gains and losses are each other's.
-- include: journal muldiv

local POSITION_FIELDS = { 'agent_id', 'asset', 'side', 'size', 'entry_price', 'leverage', 'margin',
  'mark', 'unrealized_pnl', 'realized_pnl', 'status', 'intent_id', 'match_id', 'counter_position',
  'close_price', 'close_reason', 'created_at', 'closed_at' }

-- Appends a position to a reply: id, then its fields.
local function append_position(reply, id)
  local row = redis.call('HMGET', key.position(id), unpack(POSITION_FIELDS))
  reply[#reply + 1] = id
  for i = 1, #POSITION_FIELDS do reply[#reply + 1] = row[i] end
  return 700
end

local function read_position(id)
  local row = redis.call('HMGET', key.position(id), 'agent_id', 'side', 'size', 'entry_price',
    'margin', 'mark', 'status', 'counter_position', 'intent_id')
  if not row[1] then return nil end
  return { id = id, agent = row[1], side = row[2], size = tonumber(row[3]),
    entry = tonumber(row[4]), margin = tonumber(row[5]), mark = tonumber(row[6]), status = row[7],
    counter = row[8], intent = row[9] }
end

-- Who gains at a price, who loses, and how much: computed once, so that both sides agree.
local function outcome(a, b, price)
  local amount = muldiv(a.size, math.abs(price - a.entry), a.entry)
  local a_gains = (a.side == 'long') == (price > a.entry)
  if a_gains then return a, b, amount end
  return b, a, amount
end

-- Whether a position's margin is no more than the journal reserved for the intent that it came
-- from, and than is locked.
local function is_position_backed(position)
  local entry = position.intent and redis.call('HGET', key.intent(position.intent), 'entry')
  local agent, most = reserved(entry, 'intent', position.intent)
  return agent ~= nil and agent == position.agent and position.margin ~= nil
    and position.margin >= 0 and position.margin <= most
    and account(agent).locked >= position.margin and account(agent).balance >= position.margin
end

local function end_position(position, status, reason, pnl, price)
  redis.call('HSET', key.position(position.id), 'status', status, 'close_reason', reason,
    'realized_pnl', int(pnl), 'unrealized_pnl', '0', 'close_price', int(price), 'mark', int(price),
    'closed_at', int(now))
  redis.call('ZREM', key.open_positions(position.agent), position.id)
end

-- Ends both sides of a match at a price. The loser pays what it owes, at most its margin; both
-- margins are free again. `reasons` says for each of winner and loser how it ends: status, reason.
-- Returns what was paid; nothing if a side is not what the journal says of it, and then nothing is
-- done.
local function end_match(kind, reference, winner, loser, amount, price, reasons)
  for _, side in ipairs({ winner, loser }) do
    if not is_position_backed(side) then return nil, altered('position', side.id) end
  end
  local paid = math.min(amount, loser.margin)
  local legs = {}
  if paid > 0 then legs = { loser.agent, -paid, winner.agent, paid } end
  post(kind, reference, '', legs,
    { winner.agent, -winner.margin, loser.agent, -loser.margin })
  end_position(winner, reasons[1], reasons[2], paid, price)
  end_position(loser, reasons[3], reasons[4], -paid, price)
  return paid
end
