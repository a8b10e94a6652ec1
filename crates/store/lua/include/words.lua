-- By what the owner of a task finds it: its name and its labels. An index is called after the SHA-1 of such
-- a word, so that no key holds, or is as long as, what a caller writes.
-- include: ending

-- What is noted of the words of a task, and what else it says: fields and values in turn. The task knows from
-- then on in which indexes it is to stand.
local function words_of(task, given)
  local name = redis.sha1hex(given.name)
  local fields = given.fields ~= '' and cjson.decode(given.fields) or {}
  task.words = { key.tasks_by_name(name) }
  local function note(field, value)
    local n = #fields
    fields[n + 1], fields[n + 2] = field, value
  end
  note('name', name)
  if given.kind ~= '' then note('kind', given.kind) end
  if given.labels ~= '' then
    local digests = cjson.decode(given.labels)
    for i, label in ipairs(digests) do
      digests[i] = redis.sha1hex(label)
      task.words[i + 1] = key.tasks_by_label(digests[i])
    end
    note('labels', table.concat(digests, ' '))
  end
  return fields
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
  for _, list in ipairs(task.words or word_lists(task.id)) do redis.call('ZADD', list, task.seq, task.id) end
end

local function unlist_words(task)
  for _, list in ipairs(word_lists(task.id)) do redis.call('ZREM', list, task.id) end
end
