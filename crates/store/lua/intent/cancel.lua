-- Takes an open intent back; what is reserved for its unfilled rest is free again.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 intent · 4 owner to check ('' for anybody's)
-- Returns  'ok', intent row · 'not_found' · 'forbidden' · 'state', status
--          'altered': it is not what the journal says of it, and releases nothing
-- full: runs
-- include: now clock records once journal hold intent

local function run()
  local intent = read_intent(ARGV[3])
  if not intent then return { 'not_found' } end
  if ARGV[4] ~= '' and intent.agent ~= ARGV[4] then return { 'forbidden' } end
  if intent.status ~= 'open' then return { 'state', intent.status } end
  settle_holds(HOLDS_ON_THE_WAY)
  if not is_intent_backed(intent) then return altered('intent', intent.id) end
  post('intent_cancelled', intent.id, '', {}, { intent.agent, -intent.margin })
  redis.call('HSET', key.intent(intent.id), 'margin', 0)
  move_intent(intent, 'cancelled')
  local reply = { 'ok' }
  append_intent(reply, intent.id)
  return reply
end

return once(run)
