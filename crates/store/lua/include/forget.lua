-- Forgetting ended tasks, some at a time.
-- include: claim

-- Forgets those of some tasks that `is_due` lets through, until so much was freed as a step may free. A
-- task whose message, group or followers have not heard of its end stays, since nobody could tell it afterwards; it is looked
-- at again in a minute. Returns how many were forgotten, and how many were looked at.
local function forget_some(ids, is_due)
  local forgotten, freed = 0, 0
  for i, id in ipairs(ids) do
    if freed > FORGET_BYTES then return forgotten, i - 1 end
    local task = read_task(id)
    if not task then
      redis.call('ZREM', key.ended_tasks, id)
      redis.call('ZREM', key.kept_tasks, id)
    elseif redis.call('ZSCORE', key.unsettled_tasks, id) or is_untold(task) then
      redis.call('ZREM', key.ended_tasks, id)
      redis.call('ZADD', key.kept_tasks, now + UNSETTLED_AGAIN_MS, id)
    elseif not is_due or is_due(id) then
      forget_task(task)
      forgotten, freed = forgotten + 1, freed + (task.bytes or 0)
    end
  end
  return forgotten, #ids
end
