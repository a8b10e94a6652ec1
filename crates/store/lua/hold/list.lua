-- Lists holds, newest first, by any of agent and status.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent · 4 status ('' for none) · 5 limit · 6 number to go on below ('' from the top)
--          7 most to look at
-- Returns  'ok', number to go on below ('' at the end), hold rows…
-- include: now clock journal hold budget walk

settle_holds(HOLDS_ON_THE_WAY)
local indexes = {}
if ARGV[3] ~= '' then indexes[#indexes + 1] = key.holds_by_agent(ARGV[3]) end
if ARGV[4] ~= '' then indexes[#indexes + 1] = key.holds_by_status(ARGV[4]) end
if #indexes == 0 then indexes[1] = key.holds end
return walk(indexes, { ARGV[5], ARGV[6], ARGV[7] }, { 'ok', '' }, append_hold)
