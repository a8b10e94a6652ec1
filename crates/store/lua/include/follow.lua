-- What follows what: tasks, and waits for tasks, each with a list of what has yet to end (contract.md §5).
-- include: wait

-- Whether something ended as whoever follows it asks: `completed`, `failed` (another end), or `ended`.
local function meets(status, on)
  return on == 'ended' or (on == 'completed') == (status == 'completed')
end

-- How something stands that is followed: a task, or `group:` and a group. And whose it is; nil if there
-- is none.
local function standing_of(what)
  local group = string.match(what, '^group:(.*)')
  local row = redis.call('HMGET', group and key.group(group) or key.task(what), 'status', 'owner')
  if row[1] == 'draft' then return nil end
  return row[1], row[2]
end

local function has_ended(what, status)
  if string.sub(what, 1, 6) == 'group:' then return status ~= 'open' end
  return is_ended(status)
end

-- Lets somebody (a task, or a wait) follow things: pairs of what and how it is to have ended. Returns of
-- how many the end is still to come, and one that ended otherwise.
local function attach(follower, pairs_of, entry)
  local unmet, failed = 0, nil
  for _, pair in ipairs(pairs_of) do
    local what, on = pair[1], pair[2]
    local status = standing_of(what)
    local has_come = has_ended(what, status)
    redis.call('HSET', key.task_after(follower), what, has_come and '=' .. on .. '/' .. status or on)
    if has_come then
      if not meets(status, on) then failed = failed or what end
    else
      local group = string.match(what, '^group:(.*)')
      if group then
        redis.call('SADD', key.group_next(group), entry)
      else
        redis.call('SADD', key.task_next(what), entry)
        redis.call('HSET', key.task(what), 'followed', 1)
      end
      unmet = unmet + 1
    end
  end
  return unmet, failed
end

-- What a wait for tasks brings.
local function resume_of_tasks(id)
  local row, parts = redis.call('HGETALL', key.task_after(id)), {}
  for i = 1, #row, 2 do
    local group = string.match(row[i], '^group:(.*)')
    local status = string.match(row[i + 1], '^=%a+/(%a+)$')
    parts[#parts + 1] = '{"' .. (group and 'group_id' or 'task_id') .. '":"' .. (group or row[i])
      .. '","status":' .. (status and '"' .. status .. '"' or 'null') .. '}'
  end
  return resume_of(id, 'tasks', ',"tasks":[' .. table.concat(parts, ',') .. ']')
end
