-- Groups of tasks (contract.md §5).
-- include: event

-- Ends a group of which no task is unfinished and to which none can be added. What follows it hears of it
-- in a step of its own (task/release).
local function end_group(id)
  local row = redis.call('HMGET', key.group(id), 'total', 'completed')
  local status = row[1] == (row[2] or '0') and 'completed' or 'failed'
  redis.call('HSET', key.group(id), 'status', status, 'ended_at', now)
  tell_group_ended(id, status)
  redis.call('ZADD', key.releasing, clock, 'g/' .. id .. '/' .. status)
end

-- Lets no further task into a group. Whether it has ended with that.
local function seal_group(id)
  local row = redis.call('HMGET', key.group(id), 'sealed', 'open')
  if row[1] ~= '0' then return false end
  redis.call('HSET', key.group(id), 'sealed', 1)
  if row[2] == '0' then end_group(id) end
  return row[2] == '0'
end
