-- Appends an agent to a reply: id, its fields ('' for none), then what it has: balance, locked.
-- Returns about how many bytes that is as JSON, false if there is no such agent.
local AGENT_FIELDS = { 'wallet_address', 'display_name', 'metadata', 'status', 'created_at' }

local function append_agent(reply, id)
  local row = redis.call('HMGET', key.agent(id), unpack(AGENT_FIELDS))
  if not row[4] then return false end
  local bytes = 400
  reply[#reply + 1] = id
  for i = 1, #AGENT_FIELDS do
    reply[#reply + 1] = row[i]
    if row[i] then bytes = bytes + #row[i] end
  end
  local has = redis.call('HMGET', key.account(id), 'balance', 'locked')
  reply[#reply + 1] = has[1] or '0'
  reply[#reply + 1] = has[2] or '0'
  return bytes
end
