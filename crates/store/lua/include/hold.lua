-- Holds: a part of an agent's money that is reserved until it is paid, released, or overdue.
-- include: clock journal

local HOLD_FIELDS = { 'agent_id', 'amount', 'posted', 'status', 'expires_at', 'to_agent',
  'created_at', 'task' }

-- Appends a hold to a reply: id, then its fields.
local function append_hold(reply, id)
  local row = redis.call('HMGET', key.hold(id), unpack(HOLD_FIELDS))
  reply[#reply + 1] = id
  for i = 1, #HOLD_FIELDS do reply[#reply + 1] = row[i] end
  return 300
end

local function read_hold(id)
  local row = redis.call('HMGET', key.hold(id), 'agent_id', 'amount', 'status', 'seq', 'entry',
    'counted', 'task')
  if not row[1] then return nil end
  return { id = id, agent = row[1], amount = tonumber(row[2]), status = row[3], seq = row[4],
    entry = row[5], is_counted = row[6], task = row[7] or '' }
end

-- Whether a pending hold is what the journal says, and so much is locked for its agent.
local function is_backed(hold)
  local agent, amount = reserved(hold.entry, 'hold', hold.id)
  if not agent or agent ~= hold.agent or amount ~= hold.amount then return false end
  local has = account(agent)
  return has.locked >= amount and has.balance >= amount
end

-- Ends a hold; what was reserved for it, the caller's entry releases.
local function end_hold(hold, status, posted)
  redis.call('HSET', key.hold(hold.id), 'status', status, 'posted', int(posted))
  redis.call('ZREM', key.holds_by_status('pending'), hold.id)
  redis.call('ZADD', key.holds_by_status(status), hold.seq, hold.id)
  redis.call('ZREM', key.due_holds, hold.id)
  if hold.is_counted then redis.call('HINCRBY', key.account(hold.agent), 'holds', -1) end
  hold.status = status
end

-- What is no longer there, or not what the journal says, releases nothing and holds up nobody.
local function expire_hold(id, hold)
  if hold and hold.status == 'pending' and is_backed(hold) then
    post('hold_expired', id, '', {}, { hold.agent, -hold.amount })
    end_hold(hold, 'expired', 0)
  else
    redis.call('ZREM', key.due_holds, id)
    altered('hold', id)
  end
end

-- Lets a hold go whose time is over.
local function settle_hold(hold)
  local due = tonumber(redis.call('ZSCORE', key.due_holds, hold.id))
  if not due or due > clock or not may_settle() then return end
  expire_hold(hold.id, hold)
  keep_clock()
end

-- Lets some holds go whose time is over; returns how many.
local function settle_holds(most)
  local due = redis.call('ZRANGEBYSCORE', key.due_holds, '-inf', int(clock), 'LIMIT', 0, most)
  if #due == 0 or not may_settle() then return 0 end
  for _, id in ipairs(due) do expire_hold(id, read_hold(id)) end
  keep_clock()
  return #due
end

-- A hold that can be ended, or why it cannot. One that a task is paid from ends with that task only.
local function pending_hold(id, owner, task)
  local hold = read_hold(id)
  if not hold then return nil, { 'not_found' } end
  if owner ~= '' and hold.agent ~= owner then return nil, { 'forbidden' } end
  if hold.task ~= task then return nil, { 'task', hold.task } end
  settle_hold(hold)
  settle_holds(HOLDS_ON_THE_WAY)
  if hold.status ~= 'pending' then return nil, { 'state', hold.status } end
  if not is_backed(hold) then return nil, altered('hold', id) end
  return hold
end
