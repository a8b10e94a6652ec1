-- Schedules (contract.md §5). They go by Redis' clock, which is that of the calendar.
-- include: event clock node

-- Appends a schedule to a reply. Returns about how many bytes it has as JSON; false if there is none.
local function append_schedule(reply, id)
  local row = redis.call('HMGET', key.schedule(id), 'owner', 'spec', 'task', 'overlap', 'catch_up',
    'pause_on_failure', 'paused', 'note', 'revision', 'from', 'started', 'skipped', 'missed', 'refused',
    'created_at', 'updated_at')
  if not row[1] then return false end
  local n = #reply
  reply[n + 1], reply[n + 2] = id, now
  for i = 1, 16 do reply[n + 2 + i] = row[i] end
  return 800 + #row[2] + #row[3] + 6 * #row[8]
end

-- Has the next step look at a schedule; at one that is paused nobody looks.
local function look_at(id, is_paused)
  if is_paused then
    redis.call('ZREM', key.schedules_due, id)
  else
    redis.call('ZADD', key.schedules_due, 0, id)
  end
end

-- From now on: what came due before is decided, and earlier failures do not count.
local function begin_now(id)
  redis.call('HSET', key.schedule(id), 'from', now)
  redis.call('HDEL', key.schedule(id), 'failed')
end

-- Whether runs are decided until far ahead of now, since the clock was: then none would come due until then.
local function is_ahead(from)
  return tonumber(from or 0) - now > SCHEDULE_ON_TIME_MS
end
