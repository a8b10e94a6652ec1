-- Closes both sides of a match at a price. Where a side is not what the journal says of it, nothing
-- is paid (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          position_id: PositionId  One of its positions.
--          writer: Writer<'a>   Who asks. An owner may close at the mark only.
--          price: Option<Money>
--                               At what price; `None`: at the mark.
-- Returns  Closed:
--          ok(Box<Position>)    It is.
--          not_found            There is no such position.
--          forbidden            It is somebody else's.
--          state(text)          It has ended: its status.
--          price(Money)         Its owner may close it at this price only.
-- include: records once hold position audit

local function run()
  local position = read_position(position_id)
  if not position then return { 'not_found' } end
  if writer ~= '' and position.agent ~= writer then return { 'forbidden' } end
  if position.status ~= 'open' then return { 'state', position.status } end
  local at = tonumber(price) or position.mark
  if writer ~= '' and at ~= position.mark then return { 'price', int(position.mark) } end
  settle_holds(HOLDS_ON_THE_WAY)
  local counter = read_position(position.counter or '')
  if not counter then return altered('position', position_id) end
  local winner, loser, amount = outcome(position, counter, at)
  local paid, refused = end_match('close', position_id, winner, loser, amount, at,
    { 'closed', 'closed', 'closed', 'closed' })
  if not paid then return refused end
  audit('position.close', position_id, facts('agent_id', position.agent), facts('price', decimal(at)))
  local reply = { 'ok' }
  append_position(reply, position_id)
  return reply
end

return once(run)
