-- What tasks use: summed up by task and budget, and noted for the day (contract.md §5).
-- include: ending budgets numbers history

-- What tokens cost, in millionths, by the prices of a million, rounded up. Exact: the parts of a product
-- stay below 2^53 (PRICE_MAX).
local function cost_of(used, price)
  local whole, rest = 0, 0
  local tokens = { used[1] - used[3], used[2], used[3] }
  for i, each in ipairs({ string.match(price, '(%d+)/(%d+)/(%d+)') }) do
    local part = math.fmod(tokens[i], 1e6) * each
    whole = whole + math.floor(tokens[i] / 1e6) * each + math.floor(part / 1e6)
    rest = rest + math.fmod(part, 1e6)
  end
  return whole + math.ceil(rest / 1e6)
end

-- What was used of a model since the last report; nil for nothing. `used` is what the try had used by then,
-- and has used now: of each number the most that was ever reported.
local function growth_of(used, report)
  local more, has_grown = {}, false
  local function grow(i, to)
    more[i] = math.max(to - used[i], 0)
    used[i] = used[i] + more[i]
    has_grown = has_grown or more[i] > 0
  end
  for i = 1, 5 do grow(i, report[i + 2]) end
  local cost = report[8]
  if cost < 0 then
    local prices = redis.call('HMGET', key.prices, report[1], report[2])
    local price = prices[1] or prices[2]
    cost = price and cost_of(used, price) or 0
  end
  grow(6, cost)
  return has_grown and more
end

-- Where a name has no place any more in a list of so many, what stands for all such.
local function name_in(map, name, most)
  for _ in pairs(map) do most = most - 1 end
  return (map[name] or most > 0) and name or TOO_MANY
end

-- Notes what was used for the day's sums (usage/roll_up), which nobody has to wait for. Where too much is noted,
-- the owner is all that is told apart.
local function note_spent(task, model, more)
  local day = string.sub(rfc3339(now), 1, 10)
  local name = table.concat({ day, task.owner, task.user, task.node, task.group or '', model }, '\n')
  local has = redis.call('HGET', key.spent_new, name)
  if not has and redis.call('HLEN', key.spent_new) >= SPENT_NEW_MAX then
    name = table.concat({ day, task.owner, '', '', '', TOO_MANY }, '\n')
    has = redis.call('HGET', key.spent_new, name)
  end
  redis.call('HSET', key.spent_new, name, packed(add_usage(has and unpacked(has), more)))
end

-- Counts against the budgets that a task is under. What is left of them, cost and tokens (nil for no bound), and of
-- those that are used up what the strictest asks for, and its scope (nil while none asks for anything).
local function count_budgets(task, sum, total)
  local id, standing = key.task(task.id), {}
  local row = redis.call('HMGET', id, 'budget', 'spent_before', 'spared')
  local function look(budget)
    for i = 1, 2 do
      local left = budget.most[i] and budget.most[i] - budget.used[i]
      standing[i] = left and math.min(standing[i] or left, left) or standing[i]
    end
    if not is_used_up(budget) then return end
    local asks = budget.on_exceed
    if asks == 'cancel' or asks == 'wait' and not standing.asks and (budget.scope == 'task' or not row[3]) then
      standing.asks, standing.scope = asks, budget.scope
    end
    if redis.call('HSETNX', budget.key, 'told', 1) == 1 then
      tell_budget_exceeded(budget.scope, budget.id, task.id, asks)
    end
  end
  if row[1] then
    local cost, tokens, on_exceed = string.match(row[1], '(%d*)/(%d*)/(%a+)')
    local before, tokens_before = string.match(row[2] or '0/0', '(%d+)/(%d+)')
    look({ key = id, scope = 'task', id = task.id, on_exceed = on_exceed, most = { tonumber(cost), tonumber(tokens) },
      used = { total[6] - before, total[1] + total[2] - tokens_before } })
  end
  local over = { 'owner', task.owner, 'user', task.user, 'group', task.group or '' }
  for i = 1, #over, 2 do
    local budget = read_budget(task.owner, over[i], over[i + 1])
    if budget then
      local used = budget.used
      used[1] = math.min(used[1] + sum[6], USAGE_SUM_MAX)
      used[2] = math.min(used[2] + sum[1] + sum[2], USAGE_SUM_MAX)
      redis.call('HSET', budget.key, 'at', budget.at, 'cost_used', used[1], 'tokens_used', used[2])
      if budget.is_old then redis.call('HDEL', budget.key, 'told') end
      note_used_up(budget)
      look(budget)
    end
  end
  return standing
end

-- Notes usage for the history. Where no monitor has moved anything for hours, it is noted by the hour.
local function note_used(sum)
  local field = math.floor(now / 60000) .. 'u'
  local has = redis.call('HGET', key.history_new, field)
  if not has and redis.call('HLEN', key.history_new) >= HISTORY_NEW_MAX then
    field = math.floor(now / 3600000) * 60 .. 'u'
    has = redis.call('HGET', key.history_new, field)
  end
  redis.call('HSET', key.history_new, field, packed(add_usage(has and unpacked(has), sum)))
end

local function total_of(all)
  local total = add_usage()
  for _, used in pairs(all) do add_usage(total, used) end
  return total
end

-- Counts what the try that runs has used by now, which is reported as JSON. How its budgets stand.
local function spend(task, reported)
  local id = key.task(task.id)
  local all = cjson.decode(part_of_task(task.id, 'usage') or '{}')
  local try = cjson.decode(redis.call('HGET', id, 'used') or '[]')
  local claim = string.match(task.token, '^%d+')
  if try[1] ~= claim then try = { claim, {} } end
  local sum = add_usage()
  for _, report in ipairs(cjson.decode(reported)) do
    local name = name_in(try[2], report[1], USAGE_TRY_MODELS_MAX)
    local used = try[2][name] or add_usage()
    local more = growth_of(used, report)
    if more then
      try[2][name] = used
      local at = name_in(all, name, USAGE_MODELS_MAX)
      all[at] = add_usage(all[at], more)
      note_spent(task, report[1], more)
      add_usage(sum, more)
    end
  end
  redis.call('HSET', id, 'usage', cjson.encode(all), 'used', cjson.encode(try))
  if sum[1] + sum[2] + sum[6] > 0 then note_used(sum) end
  return count_budgets(task, sum, total_of(all))
end
