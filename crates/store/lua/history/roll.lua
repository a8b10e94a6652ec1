-- Moves what was counted lately into minutes, hours and sums, some at a time, and notes how the hub stands. What is
-- moved is gone from where it was in the same step, so that it counts once, whoever does it and however often.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(bool)             There is more.
-- full: runs
-- include: history numbers

local function move_usage(minute, value)
  for _, bucket in ipairs({ key.history(minute), key.history_hour(math.floor(minute / 60)), key.stats }) do
    local has = redis.call('HGET', bucket, 'u')
    redis.call('HSET', bucket, 'u', packed(add_usage(has and unpacked(has), unpacked(value))))
  end
  bound_buckets(minute)
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
  bound_buckets(minute)
end

local found, moved = redis.call('HRANDFIELD', key.history_new, HISTORY_BATCH, 'WITHVALUES'), {}
for i = 1, #found, 2 do
  local minute, what = string.match(found[i], '^(%d+)(.+)$')
  if what == 'u' then
    move_usage(minute, found[i + 1])
  else
    move_count(minute, what, found[i + 1])
  end
  moved[#moved + 1] = found[i]
end
if moved[1] then redis.call('HDEL', key.history_new, unpack(moved)) end
sample()
return { 'ok', redis.call('EXISTS', key.history_new) }
