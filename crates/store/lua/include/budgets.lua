-- Budgets of owners, of their users and of groups (contract.md §5).
-- include: now rfc3339

-- What names the present period, in UTC.
local function period_of(name)
  return name == 'total' and name or string.sub(rfc3339(now), 1, name == 'day' and 10 or 7)
end

-- A budget and what of it is used in its present period, cost and tokens; nil if there is none.
local function read_budget(owner, scope, id)
  local at = key.budget(owner, scope, id)
  local row = redis.call('HMGET', at, 'cost', 'tokens', 'period', 'on_exceed', 'at', 'cost_used', 'tokens_used')
  if not row[3] then return nil end
  local period = period_of(row[3])
  local is_old = row[5] ~= period
  return { key = at, owner = owner, scope = scope, id = id, on_exceed = row[4], at = period,
    is_old = is_old, most = { tonumber(row[1]), tonumber(row[2]) },
    used = is_old and { 0, 0 } or { tonumber(row[6]), tonumber(row[7]) } }
end

local function is_used_up(budget)
  local most, used = budget.most, budget.used
  return most[1] and used[1] >= most[1] or most[2] and used[2] >= most[2]
end

-- Notes whether nothing further may be submitted under a budget in its present period.
local function note_used_up(budget)
  local list, name = key.used_up_budgets(budget.owner), budget.scope .. '/' .. budget.id
  if is_used_up(budget) and budget.on_exceed ~= 'flag' then
    redis.call('HSET', list, name, budget.at)
  else
    redis.call('HDEL', list, name)
  end
end
