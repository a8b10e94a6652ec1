-- Answers a wait for an approval. An answer counts for what it decides; it is decided once an option has
-- as many as were asked for, and a rejection decides at once.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          wait_id: WaitId      Which.
--          writer: Writer<'a>   In whose name: '' may answer all.
--          by: text             Who answers.
--          decision: text       One of the options.
--          value: Option<&'a Json>
--                               What the task is told besides.
--          comment: text        The same for people.
-- Returns  Answering:
--          ok(wait: Box<Wait>)  It counts, or counted already.
--          not_found            There is no such wait.
--          forbidden            It is for others to answer.
--          own                  Whose node has asked may not answer.
--          kind(kind: text)     It is no wait for an approval.
--          option(options: text)  It is none of the options (JSON).
--          ended(state: text, decision: text)  It has ended otherwise.
--          answered(decision: text)  The caller has answered otherwise.
-- Emits    wait_answered · task_pending · task_cancelled
-- include: records once claim wait usage audit

local function has_option(options)
  for _, option in ipairs(options) do
    if option == decision then return true end
  end
  return false
end

-- What the caller has answered before; nil for nothing. And how many have answered like now.
local function earlier(answers)
  local own, same = nil, 0
  for _, answer in ipairs(answers) do
    if answer.by == by then own = answer.decision end
    if answer.decision == decision then same = same + 1 end
  end
  return own, same
end

local function shown()
  local reply = { 'ok' }
  append_wait(reply, wait_id)
  return reply
end

-- Lets a task go on whose budget is used up: it may use as much again, or, where it is a budget of others,
-- is not stopped by these any more. False where it may not, and ends.
local function grant(task, scope)
  if decision == 'reject' then
    redis.call('HSET', key.task(task.id), 'error', 'The budget of the ' .. scope .. ' is used up.')
    end_task(task, 'cancelled', 'budget')
    return false
  end
  if scope == 'task' then
    local total = total_of(cjson.decode(part_of_task(task.id, 'usage') or '{}'))
    redis.call('HSET', key.task(task.id), 'spent_before', string.format('%.0f/%.0f', total[6], total[1] + total[2]))
    redis.call('HDEL', key.task(task.id), 'told')
  else
    redis.call('HSET', key.task(task.id), 'spared', 1)
  end
  return true
end

local function decide(wait)
  local task = read_task(wait.task)
  close_wait(wait, 'answered')
  local scope = string.match(wait.name, '^budget/(.*)')
  if scope and task and task.status == 'waiting' and not grant(task, scope) then return end
  local rest = ',"decision":' .. quoted(decision) .. ',"value":' .. (value == '' and 'null' or value)
    .. ',"by":' .. quoted(by) .. (comment == '' and '' or ',"comment":' .. quoted(comment))
  if task and task.status == 'waiting' then wake(task, resume_of(wait.id, 'approval', rest), 'answered') end
end

local function run()
  local wait = read_wait(wait_id)
  if not wait then return { 'not_found' } end
  if not may_see(wait, writer) then return { 'forbidden' } end
  if wait.kind ~= 'approval' then return { 'kind', wait.kind } end
  local own, same = earlier(wait.answers == '' and {} or cjson.decode('[' .. wait.answers .. ']'))
  if own == decision then return shown() end
  if own then return { 'answered', own } end
  if wait.state ~= 'open' then
    return { 'ended', wait.state, redis.call('HGET', key.wait(wait_id), 'decision') or '' }
  end
  if not has_option(wait.options) then return { 'option', cjson.encode(wait.options) } end
  if wait.by_other and wait.asker == by then return { 'own' } end
  local answer = '{"by":' .. quoted(by) .. ',"decision":' .. quoted(decision) .. ',"value":'
    .. (value == '' and 'null' or value) .. ',"comment":' .. (comment == '' and 'null' or quoted(comment))
    .. ',"at":"' .. rfc3339_ms(now) .. '"}'
  redis.call('HSET', key.wait(wait_id), 'answers', wait.answers == '' and answer
    or wait.answers .. ',' .. answer)
  if decision == 'reject' or same + 1 >= wait.need then
    redis.call('HSET', key.wait(wait_id), 'decision', decision)
    decide(wait)
  end
  audit('wait.answer', wait_id, nil, facts('task_id', wait.task, 'decision', decision, 'comment', comment))
  tell_wait_answered(wait_id, wait.task, decision, by)
  keep_clock()
  return shown()
end

return once(run)
