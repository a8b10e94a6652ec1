-- Stops a running task since a budget is used up: it is cancelled, or waits until somebody lets it go on.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who has asked for more than there is.
--          token: Token         The claim's token.
--          scope: text          Whose budget: `task`, `owner`, `user` or `group`.
--          wait_id: WaitId?     The id of the wait; none: it is cancelled.
--          wait: Option<WaitSpec>
--                               What is asked.
-- Returns  Written<>:
--          ok(Halted)
-- Emits    task_cancelled · task_waiting
-- full: runs
-- include: records once claim begin_wait

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  if wait_id == '' then
    redis.call('HSET', key.task(task_id), 'error', 'The budget of the ' .. scope .. ' is used up.')
    end_claim(task, false)
    end_task(task, 'cancelled', 'budget')
    return { 'ok', task.status, is_in_flow(task) and 1 or 0 }
  end
  end_claim(task, true)
  local asker = redis.call('HGET', key.node(task.node), 'owner') or ''
  redis.call('ZREM', key.tasks_by_node(task.node), task_id)
  end_attempt(task, 'waiting')
  local asked = cjson.decode(wait)
  -- Whoever answers it (wait/answer) has to know by whose budget it was stopped.
  asked.name = 'budget/' .. scope
  begin_wait(task, wait_id, asker, asked)
  move_task(task, 'waiting', 'budget')
  return { 'ok', task.status, 0 }
end

return once(run)
