-- By what the owner of a task finds it: its name and its labels. An index is called after the SHA-1 of such
-- a word, so that no key holds, or is as long as, what a caller writes.
-- include: ending

-- Notes the words of a task, when it is tried again, and its type if that is no usual one.
local function write_words(id, given)
  redis.call('HSET', id, 'name', redis.sha1hex(given.name))
  if given.labels ~= '' then
    local digests = cjson.decode(given.labels)
    for i, label in ipairs(digests) do digests[i] = redis.sha1hex(label) end
    redis.call('HSET', id, 'labels', table.concat(digests, ' '))
  end
  if given.retry ~= '' then redis.call('HSET', id, 'retry', given.retry) end
  if given.kind ~= '' then redis.call('HSET', id, 'kind', given.kind) end
end

-- The indexes that a task stands in by its words. Tasks of an older hub have none.
local function word_lists(id)
  local row = redis.call('HMGET', key.task(id), 'name', 'labels')
  local lists = { row[1] and key.tasks_by_name(row[1]) or nil }
  local labels = row[2] or redis.call('HGET', key.task_large(id), 'labels')
  for label in string.gmatch(labels or '', '%x+') do lists[#lists + 1] = key.tasks_by_label(label) end
  return lists
end

local function list_words(task)
  for _, list in ipairs(word_lists(task.id)) do redis.call('ZADD', list, task.seq, task.id) end
end

local function unlist_words(task)
  for _, list in ipairs(word_lists(task.id)) do redis.call('ZREM', list, task.id) end
end
