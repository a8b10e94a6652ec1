-- Dead letters: tasks that failed for good, by number, and by what their errors have in common.
-- include: attempts

-- Whether a word is another each time: `0x1f`, a hash, a long word with a number in it.
local function is_of_its_own(word)
  local is_hex, has_digit = not string.find(word, '%X'), string.find(word, '%d')
  return has_digit and (is_hex or #word >= 8) or is_hex and #word >= 8 or string.find(word, '^0x%x+$')
end

-- What tasks have in common that failed alike: the name, and the first line of the error without what is another
-- each time: what is quoted, numbers, ids.
local function error_key_of(name, error)
  local line = ' ' .. first_line(error, ERROR_LINE_BYTES)
  line = string.gsub(line, '"[^"]*"', '""')
  line = string.gsub(line, '`[^`]*`', '``')
  line = string.gsub(line, "([^%w])'[^']*'", "%1''")
  line = string.gsub(line, '%w+', function(word)
    return is_of_its_own(word) and '#' or (string.gsub(word, '%d+', '#'))
  end)
  return string.sub(redis.sha1hex((name or '') .. line), 1, 16)
end

-- The sets of those that failed alike, of all owners and of one, and the lists of these sets.
local function error_sets(owner, error_key)
  return { { key.dead_by_error(error_key), key.dead_errors },
    { key.dead_by_error_of(owner, error_key), key.dead_errors_of(owner) } }
end

-- Makes a task a dead letter.
local function note_death(task)
  local number = redis.call('HINCRBY', key.cluster, 'deaths', 1)
  local row = redis.call('HMGET', key.task(task.id), 'name', 'error')
  task.error_key = error_key_of(row[1], row[2])
  redis.call('ZADD', key.dead_tasks, number, task.id)
  redis.call('ZADD', key.tasks_by_error(task.error_key), task.seq, task.id)
  for _, sets in ipairs(error_sets(task.owner, task.error_key)) do
    redis.call('ZADD', sets[1], number, task.id)
    redis.call('ZADD', sets[2], number, task.error_key)
  end
end

-- A task is no dead letter any more.
local function unlist_death(task)
  if redis.call('ZREM', key.dead_tasks, task.id) == 0 or not task.error_key then return end
  redis.call('ZREM', key.tasks_by_error(task.error_key), task.id)
  for _, sets in ipairs(error_sets(task.owner, task.error_key)) do
    redis.call('ZREM', sets[1], task.id)
    local last = redis.call('ZRANGE', sets[1], -1, -1, 'WITHSCORES')[2]
    if last then
      redis.call('ZADD', sets[2], last, task.error_key)
    else
      redis.call('ZREM', sets[2], task.error_key)
    end
  end
end
