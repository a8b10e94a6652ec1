-- What happens, by minutes (contract.md §5, History): counted where it happens, in one hash whose fields are a
-- minute and a letter. The monitor moves what is there into minutes, hours and sums (history/roll).
-- include: now

-- Upper bounds of the parts that waits and runs are sorted into, in ms; what is longer is in a last one.
local SPANS = { 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000 }

-- Letters and counts of a field, in turn. A span was counted by 10^13, and how long it took was added to that, so
-- that one increment is enough: in ms, in the last part in seconds. There is room for 900 000 of a part in a minute,
-- which is more than one Redis can do.
local function counts_of(what, value)
  local kind, part = string.match(what, '^([wcft])(%d+)$')
  if not kind then return { what, value } end
  local ms = tonumber(string.sub(value, -13)) * (tonumber(part) > #SPANS and 1000 or 1)
  return { what, string.sub(value, 1, -14), kind == 'w' and 'W' or 'R', string.format('%.0f', ms) }
end

-- Lets a minute and its hour go when they have been kept long enough.
local function bound_buckets(minute)
  redis.call('PEXPIRE', key.history(minute), HISTORY_MINUTES_MS, 'NX')
  redis.call('PEXPIRE', key.history_hour(math.floor(minute / 60)), string.format('%.0f', HISTORY_HOURS_MS), 'NX')
end

-- Adds what was counted in a minute to it, to its hour, and to the sums.
local function move_count(minute, what, value)
  local counts = counts_of(what, value)
  for _, bucket in ipairs({ key.history(minute), key.history_hour(math.floor(minute / 60)), key.stats }) do
    for i = 1, #counts, 2 do redis.call('HINCRBY', bucket, counts[i], counts[i + 1]) end
  end
  bound_buckets(minute)
end

-- Counts something in this minute: `s` a submission, `x` a cancellation, `d` a dead letter, `n` a stale token. Where
-- no monitor has moved anything for hours, it is moved at once.
local function count_event(what, by)
  local minute = math.floor(now / 60000)
  local field = minute .. what
  if redis.call('HINCRBY', key.history_new, field, by) == by
    and redis.call('HLEN', key.history_new) > HISTORY_NEW_MAX then
    redis.call('HDEL', key.history_new, field)
    move_count(minute, what, string.format('%.0f', by))
  end
end

-- Counts how long something took: a wait (`w`), or a run (`c` completed, `f` failed, `t` out of time).
local function count_span(what, ms)
  ms = math.min(math.max(ms, 0), HISTORY_SPAN_MS_MAX)
  local part = 1
  while SPANS[part] and ms > SPANS[part] do part = part + 1 end
  count_event(what .. part, 1e13 + (SPANS[part] and ms or math.floor(ms / 1000)))
end
