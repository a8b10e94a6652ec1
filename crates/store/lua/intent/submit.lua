-- Takes an intent and reserves the margin for it.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          intent_id: IntentId  Id for the intent.
--          agent_id: AgentId    Whose it is.
--          side: Side           In which direction.
--          asset: text          On what.
--          size: Money          How much.
--          leverage: int        How many times the margin the size is.
--          max_slippage: Money  How far from the expected price a match may be.
--          reason: text         For people.
--          most: int?           Most open intents of the agent; `None`: as many as it likes.
-- Returns  Moved<Box<Intent>>
-- include: records once quota hold intent audit

size = tonumber(size)

local function run()
  if not is_agent(agent_id) then return { 'not_found' } end
  if redis.call('EXISTS', key.intent(intent_id)) == 1 then return { 'exists' } end
  settle_holds(HOLDS_ON_THE_WAY)
  local margin = margin_for(size, tonumber(leverage))
  if available(agent_id) < margin then
    return { 'insufficient', int(available(agent_id)), int(margin) }
  end
  local open = tonumber(redis.call('HGET', key.account(agent_id), 'intents') or 0)
  local refused = over_quota('quota_intents', most, open, 1)
  if refused then return refused end
  local seq, at = redis.call('HINCRBY', key.ledger, 'intents', 1), int(now)
  local entry = post('intent', intent_id, '', {}, { agent_id, margin })
  redis.call('HSET', key.intent(intent_id), 'agent_id', agent_id, 'intent_type', side, 'asset', asset,
    'size', int(size), 'filled', 0, 'leverage', leverage, 'margin', int(margin),
    'max_slippage', max_slippage, 'reason', reason, 'status', 'open', 'matched_with', '',
    'created_at', at, 'updated_at', at, 'seq', seq, 'counted', 1, 'entry', entry)
  redis.call('HINCRBY', key.account(agent_id), 'intents', 1)
  redis.call('LPUSH', key.agent_intents(agent_id), intent_id)
  redis.call('ZADD', key.intents, seq, intent_id)
  redis.call('ZADD', key.intents_by_agent(agent_id), seq, intent_id)
  redis.call('ZADD', key.intents_by_asset(asset), seq, intent_id)
  redis.call('ZADD', key.intents_by_status('open'), seq, intent_id)
  audit('intent.submit', intent_id, nil, facts('agent_id', agent_id, 'asset', asset, 'size',
    decimal(size), 'margin', decimal(margin)))
  local reply = { 'ok' }
  append_intent(reply, intent_id)
  return reply
end

return once(run)
