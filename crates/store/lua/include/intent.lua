-- Intents: what an agent would take a position on, with the margin for it reserved.
-- include: journal

local INTENT_FIELDS = { 'agent_id', 'intent_type', 'asset', 'size', 'filled', 'leverage', 'margin',
  'max_slippage', 'reason', 'status', 'matched_with', 'created_at', 'updated_at' }

-- Appends an intent to a reply: id, then its fields. Returns about how many bytes that are.
local function append_intent(reply, id)
  local row = redis.call('HMGET', key.intent(id), unpack(INTENT_FIELDS))
  reply[#reply + 1] = id
  for i = 1, #INTENT_FIELDS do reply[#reply + 1] = row[i] end
  return 500 + #row[9]
end

local function read_intent(id)
  local row = redis.call('HMGET', key.intent(id), 'agent_id', 'intent_type', 'asset', 'size',
    'filled', 'leverage', 'margin', 'status', 'seq', 'entry', 'counted')
  if not row[1] then return nil end
  return { id = id, agent = row[1], side = row[2], asset = row[3], size = tonumber(row[4]),
    filled = tonumber(row[5]), leverage = tonumber(row[6]), margin = tonumber(row[7]),
    status = row[8], seq = row[9], entry = row[10], is_counted = row[11] }
end

-- What must be reserved for a size: rounded up, so that never too little is.
local function margin_for(size, leverage)
  return quotient(size, leverage) + (math.fmod(size, leverage) > 0 and 1 or 0)
end

-- Whether an intent's margin is no more than the journal reserved for it, and than is locked.
local function is_intent_backed(intent)
  local agent, most = reserved(intent.entry, 'intent', intent.id)
  return agent ~= nil and agent == intent.agent and intent.margin ~= nil and intent.margin >= 0
    and intent.margin <= most and account(agent).locked >= intent.margin
end

local function move_intent(intent, status)
  redis.call('HSET', key.intent(intent.id), 'status', status, 'updated_at', int(now))
  redis.call('ZREM', key.intents_by_status(intent.status), intent.id)
  redis.call('ZADD', key.intents_by_status(status), intent.seq, intent.id)
  -- Only open ones move.
  if intent.is_counted then redis.call('HINCRBY', key.account(intent.agent), 'intents', -1) end
  intent.status = status
end
