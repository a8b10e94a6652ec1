-- Ends a try of a task badly. With tries left it is pending again and waits out a back-off as its policy
-- says; without one it doubles with each try, and a random half is left out so that tasks that failed
-- together do not come back together. One that is put off waits as long, and loses no try.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          error: text          Why, in at most ERROR_BYTES_MAX bytes.
--          retryable: flag      Another try may go better.
--          retry_in_ms: int?    When, in milliseconds.
--          snooze: flag         This was no try: the first SNOOZES_MAX in a row are not counted as one.
--          usage: text          What the try has used (JSON); empty: nothing is said.
-- Returns  Written<>:
--          ok(Ended)
-- Emits    task_pending · task_failed · budget_exceeded
-- full: runs
-- include: records once claim usage

-- How long the task is kept back after so many tries.
local function wait_after(tries)
  if retry_in_ms ~= '' then return tonumber(retry_in_ms) end
  local policy = redis.call('HGET', key.task(task_id), 'retry')
  local first, factor, most, jitter = string.match(policy or '', '^(.+)/(.+)/(.+)/(.+)$')
  local wait_ms = math.min(tonumber(first or BACK_OFF_MS_MIN) * tonumber(factor or 2) ^ tries,
    tonumber(most or BACK_OFF_MS_MAX))
  return math.floor(wait_ms * (1 - tonumber(jitter or 0.5) * (1 - micros % 1000 / 1000)))
end

local function back_off(task, is_snoozed)
  local wait_ms = wait_after(is_snoozed and 0 or task.retries)
  if not is_snoozed then
    redis.call('HINCRBY', key.task(task_id), 'retry_count', 1)
    redis.call('HDEL', key.task(task_id), 'snoozes')
  end
  end_attempt(task, is_snoozed and 'snoozed' or 'failed', error)
  redis.call('ZREM', key.tasks_by_node(task.node), task_id)
  redis.call('HSET', key.task(task_id), 'assigned_node', '', 'scheduled_at', now + wait_ms)
  redis.call('ZADD', key.delayed_tasks, clock + wait_ms, task_id)
  move_task(task, 'pending', is_snoozed and 'snoozed' or 'failed')
end

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  redis.call('HSET', key.task(task_id), 'error', error)
  -- There is nothing left for another try.
  if usage ~= '' and spend(task, usage).asks == 'cancel' then retryable, snooze = '0', '0' end
  end_claim(task, true)
  local is_snoozed = snooze == '1'
    and redis.call('HINCRBY', key.task(task_id), 'snoozes', 1) <= SNOOZES_MAX
  if not is_snoozed then count_span('f', now - task.started) end
  if is_snoozed or (retryable == '1' and task.retries < task.retries_max) then
    back_off(task, is_snoozed)
  else
    count_end(task, false)
    end_task(task, 'failed', 'failed')
  end
  local reply = { 'ok', task.status == 'failed' and is_in_flow(task) and 1 or 0 }
  append_task(reply, task_id)
  return reply
end

return once(run)
