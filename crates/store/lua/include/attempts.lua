-- The tries of a task. The last is what the task itself says (node, started_at, how it has ended); those before it
-- are kept beside the task, so that one that is done at the first try costs nothing.
-- include: now

-- The first line of a text, in at most so many bytes of whole characters.
local function first_line(text, most)
  local line = string.match(text or '', '[^\r\n]+') or ''
  if #line <= most then return line end
  return (string.gsub(string.sub(line, 1, most), '[\192-\255][\128-\191]*$', ''))
end

-- What a try has used, of what is noted of a task's usage: `input/output/millionths`; '' for nothing.
local function spent_in_try(used, token)
  local try = used and cjson.decode(used)
  if not try or try[1] ~= string.match(token or '', '^%d+') then return '' end
  local input, output, cost = 0, 0, 0
  for _, sum in pairs(try[2]) do input, output, cost = input + sum[1], output + sum[2], cost + sum[6] end
  return string.format('%.0f/%.0f/%.0f', input, output, cost)
end

local function keep_attempt(task, outcome, ended, error, spent)
  local large = key.task_large(task.id)
  local kept = redis.call('HGET', large, 'attempts')
  local all = kept and cjson.decode(kept) or {}
  if #all == ATTEMPTS_KEPT - 1 then table.remove(all, 1) end
  local number = task.attempt or 1
  all[#all + 1] = { number, task.node, task.started or 0, ended, outcome, first_line(error, ERROR_LINE_BYTES), spent }
  redis.call('HSET', large, 'attempts', cjson.encode(all))
  task.attempt = number + 1
  redis.call('HSET', key.task(task.id), 'attempt', task.attempt)
end

-- Keeps the try of a running task that is over while the task is not.
local function end_attempt(task, outcome, error)
  local used = redis.call('HGET', key.task(task.id), 'used')
  keep_attempt(task, outcome, now, error, spent_in_try(used, task.token))
end
