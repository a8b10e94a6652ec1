-- Removes a budget: what it was for may use as much as it likes.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          owner: text          Whose tasks.
--          scope: text          `owner`, `user` or `group`.
--          of_id: text          Which agent, user or group.
-- Returns  Written<>:
--          ok
-- include: records once clock audit

local function run()
  local before = facts_of(key.budget(owner, scope, of_id), 'cost n tokens n period t on_exceed t note t')
  if redis.call('DEL', key.budget(owner, scope, of_id)) == 0 then return { 'not_found' } end
  local list, name = key.budgets_by_owner(owner), owner .. '/' .. scope .. '/' .. of_id
  redis.call('ZREM', key.budgets, name)
  redis.call('ZREM', list, name)
  redis.call('HDEL', key.used_up_budgets(owner), scope .. '/' .. of_id)
  if redis.call('EXISTS', list) == 0 then redis.call('HDEL', key.usage(owner), 'budgets') end
  audit('budget.remove', name, before)
  keep_clock()
  return { 'ok' }
end

return once(run)
