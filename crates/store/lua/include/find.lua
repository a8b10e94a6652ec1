-- Finding tasks by what is noted of them (contract.md §5). Of all the indexes the smallest is walked, and the
-- others are asked; what has no index is looked at task by task.
-- include: ending walk

-- The number of the first task that was submitted at a time or later. Numbers grow with time, so that it is
-- looked for by halves.
local function number_at(ms)
  local low, high = 0, redis.call('ZCARD', key.task_list)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local id = redis.call('ZRANGE', key.task_list, middle, middle)[1]
    if (tonumber(redis.call('HGET', key.task(id), 'submitted_at')) or 0) < ms then
      low = middle + 1
    else
      high = middle
    end
  end
  return tonumber(redis.call('ZRANGE', key.task_list, low, low, 'WITHSCORES')[2])
    or (redis.call('HGET', key.cluster, 'tasks') or 0) + 1
end

local function indexes_of(filter)
  local lists = {}
  local function need(word, index)
    if word then lists[#lists + 1] = index(word) end
  end
  need(filter.status, key.tasks_by_status)
  need(filter.assigned_node, key.tasks_by_node)
  need(filter.user_id, key.tasks_by_user)
  need(filter.session_id, key.tasks_by_session)
  need(filter.owner, key.tasks_by_owner)
  need(filter.name and redis.sha1hex(filter.name), key.tasks_by_name)
  need(filter.error_key, key.tasks_by_error)
  for label, value in pairs(filter.labels or {}) do
    need(redis.sha1hex(label .. '=' .. value), key.tasks_by_label)
  end
  lists[1] = lists[1] or key.task_list
  return lists
end

-- Visits what a filter finds, from the latest down: `page` and the rest as for `walk`.
local function find(filter, page, reply, append)
  if filter.error then
    local read = 0
    function page.is_wanted(id)
      local text = part_of_task(id, 'error') or ''
      read = read + #text
      return string.find(text, filter.error, 1, true) ~= nil
    end
    function page.is_over() return read > FIND_READ_BYTES end
  end
  if filter.since then page.floor = number_at(filter.since) end
  if filter['until'] then
    local below = number_at(filter['until'])
    if page[2] == '' or below < tonumber(page[2]) then page[2] = below end
  end
  return walk(indexes_of(filter), page, reply, append)
end
