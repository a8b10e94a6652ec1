-- `clock` is the partition's logical time, in ms: for deciding.
--
-- Logical time follows `now`, but not through a gap in which nobody could have sent a heartbeat
-- because Redis or everything in front of it was away: a gap longer than two ticks of the
-- periodic checker counts as one tick. Nothing expires because nobody was looking.
-- Where no periodic checker has announced itself, a gap counts in full up to five minutes; where it
-- had been away for ten ticks already when others were last seen, up to those ten ticks.
-- include: now

local clock
local is_back = false
local clock_row = redis.call('HMGET', KEYS[1], 'clock', 'seen', 'tick_ms', 'ticked_at')
do
  local last_seen = tonumber(clock_row[2]) or now
  local pace_ms = tonumber(clock_row[3])
  local gap = math.max(now - last_seen, 0)
  if pace_ms and math.abs(last_seen - tonumber(clock_row[4])) > TICKS_UNTIL_FORGOTTEN * pace_ms then
    gap = math.min(gap, TICKS_UNTIL_FORGOTTEN * pace_ms)
  elseif pace_ms then
    is_back = gap > 2 * pace_ms
    if is_back then gap = pace_ms end
  else
    gap = math.min(gap, UNPACED_GAP_MS_MAX)
  end
  clock = (tonumber(clock_row[1]) or now) + gap
end

-- Stores the logical time. Scripts that write call it; a fifth of a second of slack saves a
-- write on most heartbeats, since the next script derives the same time from the older mark.
-- Where Redis takes no writes, time stands still; what a script has to write beside it says so.
local function keep_clock()
  local seen = tonumber(clock_row[2])
  if not seen or now - seen > 200 or now < seen then
    redis.pcall('HSET', KEYS[1], 'clock', clock, 'seen', now)
    if is_back then redis.pcall('HSET', KEYS[1], 'back_at', clock) end
  end
end

-- Whether a reader may settle what it meets on its way: Redis may take no writes, which must not cost
-- it its answer. PERSIST changes nothing, since a key that names a partition never ends where there is
-- one of a kind. It is allowed where all memory is used up, and so is what a script writes after it.
local function may_settle()
  local reply = redis.pcall('PERSIST', KEYS[1])
  return type(reply) ~= 'table' or not reply.err
end

-- Whether such a gap has ended so lately that nodes may not have had the time to be heard of since:
-- half a timeout, for those that beat only twice in one.
local function is_just_back(timeout_ms)
  local back_at = is_back and clock or tonumber(redis.call('HGET', KEYS[1], 'back_at'))
  return back_at ~= nil and clock - back_at < timeout_ms / 2
end
