-- Closes both sides of a match at a price.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 position · 4 owner to check, who may close at the mark only ('' for
--          anybody's, at any price) · 5 price in millionths ('' for the mark)
-- Returns  'ok', position row · 'not_found' · 'forbidden' · 'state', status
--          'price', the mark: the owner named another
--          'altered': a side is not what the journal says of it, and nothing is paid
-- include: now clock records once journal hold muldiv position

local id, owner = ARGV[3], ARGV[4]

local function run()
  local position = read_position(id)
  if not position then return { 'not_found' } end
  if owner ~= '' and position.agent ~= owner then return { 'forbidden' } end
  if position.status ~= 'open' then return { 'state', position.status } end
  local price = tonumber(ARGV[5]) or position.mark
  if owner ~= '' and price ~= position.mark then return { 'price', int(position.mark) } end
  settle_holds(HOLDS_ON_THE_WAY)
  local counter = read_position(position.counter or '')
  if not counter then return altered('position', id) end
  local winner, loser, amount = outcome(position, counter, price)
  local paid, refused = end_match('close', id, winner, loser, amount, price,
    { 'closed', 'closed', 'closed', 'closed' })
  if not paid then return refused end
  local reply = { 'ok' }
  append_position(reply, id)
  return reply
end

return once(run)
