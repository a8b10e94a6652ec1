-- Ends a task well.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who says so.
--          token: Token         The claim's token.
--          result: Option<&'a Json>
--                               Any value.
--          content: Option<&'a Json>
--                               A content block for the task's message.
--          usage: text          What the try has used (JSON); empty: nothing is said.
--          amount: int?         What it costs whoever pays for it, in millionths; none: all of that.
-- Returns  Written<>:
--          ok(Ended)
-- Emits    task_completed · budget_exceeded
-- full: runs
-- include: records once claim usage

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  if amount ~= '' then
    if not task.charge then return { 'unpaid' } end
    local max = string.match(task.charge, '^%d+')
    if tonumber(amount) > tonumber(max) then return { 'over', max } end
    redis.call('HSET', key.task(task_id), 'amount', amount)
  end
  if usage ~= '' then spend(task, usage) end
  redis.call('HSET', key.task(task_id), 'progress', 1)
  redis.call('HDEL', key.task(task_id), 'error')
  if #result > SMALL_VALUE_BYTES then
    task.result_bytes = #result
    redis.call('HSET', key.task_large(task_id), 'result', result)
  elseif result ~= '' then
    redis.call('HSET', key.task(task_id), 'result', result)
  end
  if content ~= '' and task.message ~= '' then
    redis.call('HSET', key.task_large(task_id), 'content', content)
  end
  end_claim(task, true)
  count_span('c', now - task.started)
  count_end(task, true)
  end_task(task, 'completed', 'completed')
  local reply = { 'ok', is_in_flow(task) and 1 or 0 }
  append_task(reply, task_id)
  return reply
end

return once(run)
