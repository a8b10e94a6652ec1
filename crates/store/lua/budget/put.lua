-- Makes a budget, or sets what it is anew. What is used of it stays used, unless its period is another one.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          owner: text          Whose tasks.
--          scope: text          `owner`, `user` or `group`.
--          of_id: text          Which agent, user or group.
--          cost: int?           What may be spent, in millionths.
--          tokens: int?         How many tokens may be used.
--          period: text         `day`, `month` or `total`.
--          on_exceed: text      `flag`, `cancel` or `wait`.
--          note: text           For people.
--          by: text             Who says so.
-- Returns  BudgetPut:
--          ok(budget: Box<Budget>)
--          too_many             There are as many as there may be.
-- include: records once shown_budget clock audit

local FACTS = 'cost n tokens n period t on_exceed t note t'

local function run()
  local at, name = key.budget(owner, scope, of_id), owner .. '/' .. scope .. '/' .. of_id
  local row = redis.call('HMGET', at, 'number', 'period')
  local before = facts_of(at, FACTS)
  local number, list = row[1], key.budgets_by_owner(owner)
  if not number then
    if redis.call('ZCARD', list) >= BUDGETS_MAX then return { 'too_many' } end
    number = redis.call('HINCRBY', key.cluster, 'budgets', 1)
  end
  redis.call('ZADD', key.budgets, number, name)
  redis.call('ZADD', list, number, name)
  redis.call('HSET', key.usage(owner), 'budgets', 1)
  if row[2] ~= period then redis.call('HSET', at, 'at', period_of(period), 'cost_used', 0, 'tokens_used', 0) end
  redis.call('HDEL', at, 'told')
  redis.call('HSET', at, 'number', number, 'cost', cost, 'tokens', tokens, 'period', period,
    'on_exceed', on_exceed, 'note', note, 'updated_by', by, 'updated_at', now)
  note_used_up(read_budget(owner, scope, of_id))
  audit('budget.set', name, before, facts_of(at, FACTS))
  keep_clock()
  local reply = { 'ok' }
  append_budget(reply, name)
  return reply
end

return once(run, function(reply) return reply[1] == 'ok' end)
