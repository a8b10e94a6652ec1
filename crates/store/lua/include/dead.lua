-- Dead letters: tasks that failed for good, by number, and by what their errors have in common.
-- include: attempts

-- What tasks have in common that failed alike: owner and name, and the first line of the error without what is
-- another each time: what is quoted, numbers, and words that are ids.
local function error_key_of(of, error)
  local line = string.gsub(' ' .. first_line(error, ERROR_LINE_BYTES), '([^%w])(["\'`]).-%2', '%1#')
  line = string.gsub(line, '%x+%-%x+%-%x+%-%x+%-%x+', '#')
  line = string.gsub(string.gsub(line, '%f[%w]0x%x+', '#'), '%w*%d%w*', function(word)
    return (#word >= 8 or not string.find(word, '%X')) and '#' or (string.gsub(word, '%d+', '#'))
  end)
  return string.sub(redis.sha1hex(of .. line), 1, 16)
end

-- Lists an error by the number of its last death; nil if nothing is dead of it any more.
local function list_error(task, last)
  for _, list in ipairs({ key.dead_errors, key.dead_errors_of(task.owner) }) do
    if last then
      redis.call('ZADD', list, last, task.error_key)
    else
      redis.call('ZREM', list, task.error_key)
    end
  end
end

-- Makes a task a dead letter.
local function note_death(task)
  local number = redis.call('HINCRBY', key.cluster, 'deaths', 1)
  local row = redis.call('HMGET', key.task(task.id), 'name', 'error')
  task.error_key = error_key_of(task.owner .. ' ' .. (row[1] or ''), row[2])
  redis.call('ZADD', key.dead_tasks, number, task.id)
  redis.call('ZADD', key.dead_by_error(task.error_key), number, task.id)
  redis.call('ZADD', key.tasks_by_error(task.error_key), task.seq, task.id)
  list_error(task, number)
end

-- A task is no dead letter any more.
local function unlist_death(task)
  if redis.call('ZREM', key.dead_tasks, task.id) == 0 or not task.error_key then return end
  redis.call('ZREM', key.tasks_by_error(task.error_key), task.id)
  local alike = key.dead_by_error(task.error_key)
  redis.call('ZREM', alike, task.id)
  list_error(task, redis.call('ZRANGE', alike, -1, -1, 'WITHSCORES')[2])
end
