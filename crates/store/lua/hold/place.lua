-- Reserves a part of an agent's money.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 hold · 4 agent · 5 amount in millionths
--          6 milliseconds until it is overdue ('' for never) · 7 most pending holds of the agent ('' for
--          no bound)
-- Returns  'ok', hold row · 'not_found' · 'insufficient', what is available · 'exists'
--          'quota'
-- include: now clock records once quota journal hold

local id, agent, amount = ARGV[3], ARGV[4], tonumber(ARGV[5])

local function run()
  if not is_agent(agent) then return { 'not_found' } end
  if redis.call('EXISTS', key.hold(id)) == 1 then return { 'exists' } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(agent) < amount then return { 'insufficient', int(available(agent)) } end
  local pending = tonumber(redis.call('HGET', key.account(agent), 'holds') or 0)
  local refused = over_quota('quota_holds', ARGV[7], pending, 1)
  if refused then return refused end
  local seq = redis.call('HINCRBY', key.ledger, 'holds', 1)
  local expires_at = ''
  if ARGV[6] ~= '' then
    expires_at = int(now + tonumber(ARGV[6]))
    redis.call('ZADD', key.due_holds, int(clock + tonumber(ARGV[6])), id)
    keep_clock()
  end
  local entry = post('hold', id, '', {}, { agent, amount })
  redis.call('HSET', key.hold(id), 'agent_id', agent, 'amount', int(amount), 'posted', 0,
    'status', 'pending', 'expires_at', expires_at, 'to_agent', '', 'created_at', int(now),
    'seq', seq, 'counted', 1, 'entry', entry)
  redis.call('HINCRBY', key.account(agent), 'holds', 1)
  redis.call('ZADD', key.holds, seq, id)
  redis.call('ZADD', key.holds_by_agent(agent), seq, id)
  redis.call('ZADD', key.holds_by_status('pending'), seq, id)
  local reply = { 'ok' }
  append_hold(reply, id)
  return reply
end

return once(run)
