-- Takes an intent and reserves the margin for it.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 intent · 4 agent · 5 long or short · 6 asset · 7 size in millionths
--          8 leverage · 9 largest slippage in millionths · 10 reason
--          11 most open intents of the agent ('' for no bound)
-- Returns  'ok', intent row · 'not_found' · 'insufficient', what is available, margin · 'exists'
--          'quota'
-- include: now clock records once quota journal hold intent

local id, agent, size = ARGV[3], ARGV[4], tonumber(ARGV[7])

local function run()
  if not is_agent(agent) then return { 'not_found' } end
  if redis.call('EXISTS', key.intent(id)) == 1 then return { 'exists' } end
  settle_holds(HOLDS_ON_THE_WAY)
  local margin = margin_for(size, tonumber(ARGV[8]))
  if available(agent) < margin then
    return { 'insufficient', int(available(agent)), int(margin) }
  end
  local open = tonumber(redis.call('HGET', key.account(agent), 'intents') or 0)
  local refused = over_quota('quota_intents', ARGV[11], open, 1)
  if refused then return refused end
  local seq, at = redis.call('HINCRBY', key.ledger, 'intents', 1), int(now)
  local entry = post('intent', id, '', {}, { agent, margin })
  redis.call('HSET', key.intent(id), 'agent_id', agent, 'intent_type', ARGV[5], 'asset', ARGV[6],
    'size', int(size), 'filled', 0, 'leverage', ARGV[8], 'margin', int(margin),
    'max_slippage', ARGV[9], 'reason', ARGV[10], 'status', 'open', 'matched_with', '',
    'created_at', at, 'updated_at', at, 'seq', seq, 'counted', 1, 'entry', entry)
  redis.call('HINCRBY', key.account(agent), 'intents', 1)
  redis.call('LPUSH', key.agent_intents(agent), id)
  redis.call('ZADD', key.intents, seq, id)
  redis.call('ZADD', key.intents_by_agent(agent), seq, id)
  redis.call('ZADD', key.intents_by_asset(ARGV[6]), seq, id)
  redis.call('ZADD', key.intents_by_status('open'), seq, id)
  local reply = { 'ok' }
  append_intent(reply, id)
  return reply
end

return once(run)
