-- Reserves a part of an agent's money. What is to pay for a task is decided once: whoever comes later to
-- reserve it finds it reserved, or refused.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          hold_id: HoldId      Id for the hold.
--          agent_id: AgentId    Whose money.
--          amount: Money        How much.
--          expires_in_ms: int?  When it is to end by itself, in milliseconds from now; `None`: never.
--          most: int?           Most pending holds of the agent; `None`: as many as it likes.
--          task_id: TaskId?     The task that is paid from it.
-- Returns  Moved<Hold>
-- include: records once quota hold audit

amount = tonumber(amount)

local function place()
  if not is_agent(agent_id) then return { 'not_found' } end
  if redis.call('EXISTS', key.hold(hold_id)) == 1 then return { 'exists' } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(agent_id) < amount then return { 'insufficient', int(available(agent_id)) } end
  local pending = tonumber(redis.call('HGET', key.account(agent_id), 'holds') or 0)
  local refused = over_quota('quota_holds', most, pending, 1)
  if refused then return refused end
  local seq = redis.call('HINCRBY', key.ledger, 'holds', 1)
  local expires_at = ''
  if expires_in_ms ~= '' then
    expires_at = int(now + tonumber(expires_in_ms))
    redis.call('ZADD', key.due_holds, int(clock + tonumber(expires_in_ms)), hold_id)
    keep_clock()
  end
  local entry = post('hold', hold_id, '', {}, { agent_id, amount })
  redis.call('HSET', key.hold(hold_id), 'agent_id', agent_id, 'amount', int(amount), 'posted', 0,
    'status', 'pending', 'expires_at', expires_at, 'to_agent', '', 'created_at', int(now),
    'seq', seq, 'counted', 1, 'entry', entry, 'task', task_id)
  redis.call('HINCRBY', key.account(agent_id), 'holds', 1)
  redis.call('ZADD', key.holds, seq, hold_id)
  redis.call('ZADD', key.holds_by_agent(agent_id), seq, hold_id)
  redis.call('ZADD', key.holds_by_status('pending'), seq, hold_id)
  -- What a task is paid from is none of it.
  if task_id == '' then
    audit('hold.place', hold_id, nil, facts('agent_id', agent_id, 'amount', decimal(amount)))
  end
  local reply = { 'ok' }
  append_hold(reply, hold_id)
  return reply
end

local function run()
  if task_id == '' then return place() end
  local hold = read_hold(hold_id)
  if hold and hold.task == task_id then
    local reply = { 'ok' }
    append_hold(reply, hold_id)
    return reply
  end
  local refused = redis.call('GET', key.charge_refused(hold_id))
  if refused then return cmsgpack.unpack(refused) end
  local reply = place()
  if reply[1] ~= 'ok' then
    redis.call('SET', key.charge_refused(hold_id), cmsgpack.pack(reply), 'PX', string.format('%.0f', CHARGE_REFUSED_KEPT_MS))
  end
  return reply
end

return once(run)
