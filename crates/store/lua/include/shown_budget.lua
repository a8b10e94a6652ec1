-- Budgets as they are shown. One is listed as `owner/scope/id`.
-- include: budgets

local BUDGET_FIELDS = { 'cost', 'tokens', 'period', 'on_exceed', 'note', 'updated_by', 'updated_at' }

-- Appends a budget to a reply. Returns about how many bytes it has as JSON; false if there is none.
local function append_budget(reply, name)
  local owner, scope, id = string.match(name, '^([^/]*)/(%a+)/(.*)$')
  local standing = read_budget(owner, scope, id)
  if not standing then return false end
  local n = #reply + 1
  reply[n], reply[n + 1], reply[n + 2] = scope, id, owner
  local row = redis.call('HMGET', standing.key, unpack(BUDGET_FIELDS))
  for i = 1, #BUDGET_FIELDS do reply[n + 2 + i] = row[i] end
  n = #reply
  reply[n + 1] = standing.used[1]
  reply[n + 2] = standing.used[2]
  reply[n + 3] = is_used_up(standing) and 1 or 0
  return 400 + 6 * (#id + #row[5])
end
