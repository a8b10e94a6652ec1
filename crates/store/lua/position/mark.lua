-- Marks both sides of a match with a price. A side that has less than a twentieth of its margin left
-- is liquidated, and the other is closed with it. Where a side is not what the journal says of it,
-- nothing is paid (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          position_id: PositionId  One of its positions.
--          price: Money         The price.
-- Returns  Marked:
--          ok(liquidated: flag, position: Box<Position>)
--                               It is; and whether a side had too little left, so that both have ended.
--          not_found            There is no such position.
--          state(text)          It has ended: its status.
-- include: records once hold position

price = tonumber(price)

-- Whether equity x 20 < margin, without a product that a double may not hold.
local function is_ruined(equity, margin)
  local twentieth = quotient(margin, 20)
  return equity < twentieth or (equity == twentieth and math.fmod(margin, 20) > 0)
end

local function mark(position, pnl)
  redis.call('HSET', key.position(position.id), 'mark', int(price), 'unrealized_pnl', int(pnl))
end

local function run()
  local position = read_position(position_id)
  if not position then return { 'not_found' } end
  if position.status ~= 'open' then return { 'state', position.status } end
  settle_holds(HOLDS_ON_THE_WAY)
  local counter = read_position(position.counter or '')
  if not counter then return altered('position', position_id) end
  local winner, loser, amount = outcome(position, counter, price)
  local is_liquidated = is_ruined(loser.margin - amount, loser.margin)
  if is_liquidated then
    local paid, refused = end_match('liquidation', loser.id, winner, loser, amount, price,
      { 'closed', 'counterparty_liquidated', 'liquidated', 'liquidation' })
    if not paid then return refused end
  else
    mark(winner, amount)
    mark(loser, -amount)
  end
  local reply = { 'ok', is_liquidated and 1 or 0 }
  append_position(reply, position_id)
  return reply
end

return once(run)
