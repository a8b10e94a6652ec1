-- Shows who monitors, and for how long what it does is due.
--
-- KEYS[1]  the cluster partition
-- Call     Show
-- ARGV     kept_ms: int         How long ended tasks are kept that do not say it, in milliseconds.
-- Returns  ok(Monitoring)
-- include: clock

local row = redis.call('HMGET', key.monitor, 'holder', 'term', 'until', 'ticks', 'ticked_at', 'took_ms')
local till = (tonumber(row[3]) or 0) - clock
-- Who has let its lease run out monitors no more.
local holder = till > 0 and row[1] or ''

-- For how long the first of an index is due, by one clock or the other.
local function due_for(index, moment, kept)
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  return first and math.max(0, math.floor(moment - tonumber(first) - (kept or 0))) or 0
end

return {
  'ok', holder, tonumber(row[2]) or 0, holder ~= '' and now + till or '', tonumber(row[4]) or 0,
  row[5] or '', row[6] or '',
  due_for(key.task_leases, clock), due_for(key.delayed_tasks, clock), due_for(key.due_waits, clock),
  due_for(key.releasing, clock), due_for(key.limits_opening, clock),
  -- One that nobody has looked at yet has 0 there.
  (tonumber(redis.call('ZRANGE', key.schedules_due, 0, 0, 'WITHSCORES')[2] or 0) > 0)
    and due_for(key.schedules_due, now) or 0,
  math.max(due_for(key.kept_tasks, now), due_for(key.ended_tasks, now, tonumber(kept_ms))),
}
