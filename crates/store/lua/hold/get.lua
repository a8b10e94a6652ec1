-- Reads a hold. One whose time is over is let go first.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 hold · 4 owner to check ('' for anybody's)
-- Returns  'ok', hold row · 'not_found' · 'forbidden'
-- include: now clock journal hold

local hold = read_hold(ARGV[3])
if not hold then return { 'not_found' } end
if ARGV[4] ~= '' and hold.agent ~= ARGV[4] then return { 'forbidden' } end
settle_hold(hold)
local reply = { 'ok' }
append_hold(reply, ARGV[3])
return reply
