-- What happens, by minutes (contract.md §5, History): counted where it happens, in one hash whose fields are a
-- minute and a letter. The monitor moves what is there into minutes, hours and sums (history/roll).
-- include: now

-- Upper bounds of the parts that waits and runs are sorted into, in ms; what is longer is in a last one.
local SPANS = { 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000 }

-- Where a minute counts. Without a monitor that moves them, further minutes count as the first of their hour.
local function field_of(what, minute)
  return math.floor(minute) .. what
end

-- Counts something in this minute: `s` a submission, `x` a cancellation, `d` a dead letter, `n` a stale token.
local function count_event(what, by)
  local minute = now / 60000
  local field = field_of(what, minute)
  local sum = redis.call('HINCRBY', key.history_new, field, by)
  if sum == by and redis.call('HLEN', key.history_new) > HISTORY_NEW_MAX then
    redis.call('HDEL', key.history_new, field)
    redis.call('HINCRBY', key.history_new, field_of(what, math.floor(minute / 60) * 60), by)
  end
end

-- Counts how long something took: a wait (`w`, and the sum in `W`), or a run (`c` completed, `f` failed, `t` out of
-- time; the sum in `R`).
local function count_span(what, sum, ms)
  ms = math.min(math.max(ms, 0), HISTORY_SPAN_MS_MAX)
  local part = 1
  while SPANS[part] and ms > SPANS[part] do part = part + 1 end
  count_event(what .. part, 1)
  count_event(sum, ms)
end
