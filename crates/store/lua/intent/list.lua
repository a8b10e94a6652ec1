-- Lists intents, newest first, by any of agent, asset and status.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent · 4 asset · 5 status ('' for none) · 6 limit · 7 number to go on below ('' from
--          the top) · 8 most to look at
-- Returns  'ok', number to go on below ('' at the end), intent rows…
-- include: intent budget walk

local indexes = {}
if ARGV[3] ~= '' then indexes[#indexes + 1] = key.intents_by_agent(ARGV[3]) end
if ARGV[4] ~= '' then indexes[#indexes + 1] = key.intents_by_asset(ARGV[4]) end
if ARGV[5] ~= '' then indexes[#indexes + 1] = key.intents_by_status(ARGV[5]) end
if #indexes == 0 then indexes[1] = key.intents end
return walk(indexes, { ARGV[6], ARGV[7], ARGV[8] }, { 'ok', '' }, append_intent)
