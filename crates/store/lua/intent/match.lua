-- Matches two opposite intents at a price: as much as both have left becomes a position for each,
-- and the margin goes with it. An unfilled rest stays open.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          intent_a: IntentId   The first intent.
--          intent_b: IntentId   The other.
--          price: Money         At what price.
--          match_id: MatchId    Id for the match.
--          position_a: PositionId  Id for the position of the first.
--          position_b: PositionId  Id for the position of the other.
-- Returns  Matched:
--          ok(Made)             They are.
--          not_found(text)      There is no such intent.
--          state(intent_id: IntentId, status: text)
--                               This intent is not open.
--          agent                Both are the same agent's.
--          asset                They are on different things.
--          side                 Both go in the same direction.
--          exists               An id that was to be used is in use.
-- include: records once hold intent position

price = tonumber(price)

-- Why two intents cannot be matched; nil if they can.
local function refusal(a, b)
  for i, intent in ipairs({ a or false, b or false }) do
    if not intent then return { 'not_found', i == 1 and intent_a or intent_b } end
    if intent.status ~= 'open' then return { 'state', intent.id, intent.status } end
  end
  if a.agent == b.agent then return { 'agent' } end
  if a.asset ~= b.asset then return { 'asset' } end
  if a.side == b.side then return { 'side' } end
  for _, id in ipairs({ position_a, position_b }) do
    if redis.call('EXISTS', key.position(id)) == 1 then return { 'exists' } end
  end
end

-- Fills a part of an intent; returns the margin that goes with it. The last fill takes all that is
-- left, so that nothing stays reserved for nothing.
local function fill(intent, other, size)
  local is_last = size == intent.size - intent.filled
  local margin = math.min(margin_for(size, intent.leverage), intent.margin)
  if is_last then margin = intent.margin end
  redis.call('HSET', key.intent(intent.id), 'filled', int(intent.filled + size),
    'margin', int(intent.margin - margin), 'matched_with', other.id, 'updated_at', int(now))
  if is_last then move_intent(intent, 'matched') end
  return margin
end

local function open_position(id, counter, intent, size, margin)
  local seq = redis.call('HINCRBY', key.ledger, 'positions', 1)
  redis.call('HSET', key.position(id), 'agent_id', intent.agent, 'asset', intent.asset,
    'side', intent.side, 'size', int(size), 'entry_price', int(price),
    'leverage', intent.leverage, 'margin', int(margin), 'mark', int(price),
    'unrealized_pnl', 0, 'realized_pnl', 0, 'status', 'open', 'intent_id', intent.id,
    'match_id', match_id, 'counter_position', counter, 'close_price', '', 'close_reason', '',
    'created_at', int(now), 'closed_at', '', 'seq', seq)
  redis.call('SADD', key.agent_positions(intent.agent), id)
  redis.call('ZADD', key.positions_by_agent(intent.agent), seq, id)
  redis.call('ZADD', key.open_positions(intent.agent), seq, id)
end

local function run()
  local a, b = read_intent(intent_a), read_intent(intent_b)
  local refused = refusal(a, b)
  if refused then return refused end
  settle_holds(HOLDS_ON_THE_WAY)
  local size = math.min(a.size - a.filled, b.size - b.filled)
  open_position(position_a, position_b, a, size, fill(a, b, size))
  open_position(position_b, position_a, b, size, fill(b, a, size))
  post('match', match_id, '', {}, {}, { a.agent, b.agent })
  local reply = { 'ok', a.agent, b.agent, a.asset, int(size), int(now) }
  append_position(reply, position_a)
  append_position(reply, position_b)
  return reply
end

return once(run)
