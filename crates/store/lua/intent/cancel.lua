-- Takes an open intent back; what is reserved for its unfilled rest is free again.
-- One that is not what the journal says of it releases nothing (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          intent_id: IntentId  Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Cancelled:
--          ok(Box<Intent>)      It is.
--          not_found            There is no such intent.
--          forbidden            It is somebody else's.
--          state(text)          It is not open: its status.
-- full: runs
-- include: records once hold intent audit

local function run()
  local intent = read_intent(intent_id)
  if not intent then return { 'not_found' } end
  if writer ~= '' and intent.agent ~= writer then return { 'forbidden' } end
  if intent.status ~= 'open' then return { 'state', intent.status } end
  settle_holds(HOLDS_ON_THE_WAY)
  if not is_intent_backed(intent) then return altered('intent', intent.id) end
  post('intent_cancelled', intent.id, '', {}, { intent.agent, -intent.margin })
  redis.call('HSET', key.intent(intent.id), 'margin', 0)
  audit('intent.cancel', intent.id, facts('agent_id', intent.agent, 'margin', decimal(intent.margin)))
  move_intent(intent, 'cancelled')
  local reply = { 'ok' }
  append_intent(reply, intent.id)
  return reply
end

return once(run)
