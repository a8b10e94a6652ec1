-- Lets holds go whose time is over, some at a time.
--
-- KEYS[1]  the ledger partition
-- ARGV     tick_ms: int         How often the periodic checker that calls does so, in milliseconds.
-- Returns  ok(Settled)
-- full: runs
-- include: records hold

-- The clock can tell a gap if it knows how often somebody comes; of several, the fastest counts.
local known_ms = tonumber(clock_row[3])
local is_at_work = known_ms
  and math.abs(now - tonumber(clock_row[4])) <= TICKS_UNTIL_FORGOTTEN * known_ms
if not is_at_work or tonumber(tick_ms) <= known_ms then
  redis.call('HSET', key.ledger, 'tick_ms', tick_ms, 'ticked_at', int(now))
end

local settled = settle_holds(HOLD_BATCH)
sweep_records(HOLD_BATCH)
keep_clock()
-- Said once: whoever hears of it keeps it.
local alarm = redis.call('HGET', key.ledger, 'alarm')
if alarm then redis.call('HDEL', key.ledger, 'alarm') end
return { 'ok', settled, alarm or '' }
