-- Ends a try of a task badly. With tries left it is pending again and waits out a back-off that
-- doubles with each try, of which a random half is left out so that tasks that failed together do
-- not come back together.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          error: text          Why, in at most ERROR_BYTES_MAX bytes.
--          retryable: flag      Another try may go better.
-- Returns  Written<>:
--          ok(Box<Task>)
-- Emits    task_pending · task_failed
-- full: runs
-- include: records once claim

local function back_off(task)
  local wait_ms = math.min(BACK_OFF_MS_MIN * 2 ^ task.retries, BACK_OFF_MS_MAX)
  wait_ms = math.floor(wait_ms / 2 + wait_ms / 2 * (micros % 1000) / 1000)
  redis.call('HINCRBY', key.task(task_id), 'retry_count', 1)
  redis.call('ZREM', key.tasks_by_node(task.node), task_id)
  redis.call('HSET', key.task(task_id), 'assigned_node', '', 'scheduled_at', now + wait_ms)
  redis.call('ZADD', key.delayed_tasks, clock + wait_ms, task_id)
  move_task(task, 'pending', 'failed')
end

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  redis.call('HSET', key.task(task_id), 'error', error)
  end_claim(task, true)
  if retryable == '1' and task.retries < task.retries_max then
    back_off(task)
  else
    count_end(task, false)
    end_task(task, 'failed', 'failed')
  end
  local reply = { 'ok' }
  append_task(reply, task_id)
  return reply
end

return once(run)
