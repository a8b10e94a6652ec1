-- Lets holds go whose time is over, some at a time.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 most · 4 tick in ms of the periodic checker that calls
-- Returns  'ok', how many · what was found that the ledger has not written ('' for nothing)
-- full: runs
-- include: now clock records journal hold

-- The clock can tell a gap if it knows how often somebody comes; of several, the fastest counts.
local known_ms = tonumber(clock_row[3])
local is_at_work = known_ms
  and math.abs(now - tonumber(clock_row[4])) <= TICKS_UNTIL_FORGOTTEN * known_ms
if not is_at_work or tonumber(ARGV[4]) <= known_ms then
  redis.call('HSET', key.ledger, 'tick_ms', ARGV[4], 'ticked_at', int(now))
end

local settled = settle_holds(tonumber(ARGV[3]))
sweep_records(tonumber(ARGV[3]))
keep_clock()
-- Said once: whoever hears of it keeps it.
local alarm = redis.call('HGET', key.ledger, 'alarm')
if alarm then redis.call('HDEL', key.ledger, 'alarm') end
return { 'ok', settled, alarm or '' }
