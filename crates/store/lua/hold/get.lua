-- Reads a hold. One whose time is over is let go first.
--
-- KEYS[1]  the ledger partition
-- ARGV     hold_id: HoldId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Seen<Hold>
-- include: hold

local hold = read_hold(hold_id)
if not hold then return { 'not_found' } end
if writer ~= '' and hold.agent ~= writer then return { 'forbidden' } end
settle_hold(hold)
local reply = { 'ok' }
append_hold(reply, hold_id)
return reply
