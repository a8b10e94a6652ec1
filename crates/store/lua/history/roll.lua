-- Moves what was counted lately into minutes, hours and sums, some at a time, and notes how the hub stands. What is
-- moved is gone from where it was in the same step, so that it counts once, whoever does it and however often.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(bool)             There is more.
-- full: runs
-- include: now numbers

local function add(bucket, what, value)
  if what ~= 'u' then
    redis.call('HINCRBY', bucket, what, value)
  else
    local has = redis.call('HGET', bucket, what)
    redis.call('HSET', bucket, what, packed(add_usage(has and unpacked(has), unpacked(value))))
  end
end

-- Lets a minute and its hour go when they have been kept long enough.
local function bound(minute)
  redis.call('PEXPIRE', key.history(minute), HISTORY_MINUTES_MS, 'NX')
  redis.call('PEXPIRE', key.history_hour(math.floor(minute / 60)), string.format('%.0f', HISTORY_HOURS_MS), 'NX')
end

-- Nodes that live, all nodes, what all nodes can run at once, tasks that run, and that wait for a node: as last seen.
local function sample()
  local minute = math.floor(now / 60000)
  local hour = key.history_hour(math.floor(minute / 60))
  local standing = table.concat({ redis.call('ZCARD', key.alive), redis.call('ZCARD', key.nodes),
    redis.call('HGET', key.cluster, 'capacity') or 0, redis.call('ZCARD', key.tasks_by_status('running')),
    redis.call('ZCARD', key.waiting_tasks) }, ',')
  for _, bucket in ipairs({ key.history(minute), hour }) do
    if redis.call('HGET', bucket, 'g') ~= standing then redis.call('HSET', bucket, 'g', standing) end
  end
  bound(minute)
end

local found = redis.call('HRANDFIELD', key.history_new, HISTORY_BATCH, 'WITHVALUES')
local minutes, moved = {}, {}
for i = 1, #found, 2 do
  local minute, what = string.match(found[i], '^(%d+)(.+)$')
  add(key.history(minute), what, found[i + 1])
  add(key.history_hour(math.floor(minute / 60)), what, found[i + 1])
  add(key.stats, what, found[i + 1])
  minutes[minute] = true
  moved[#moved + 1] = found[i]
end
for minute in pairs(minutes) do bound(minute) end
if moved[1] then redis.call('HDEL', key.history_new, unpack(moved)) end
sample()
return { 'ok', redis.call('EXISTS', key.history_new) }
