-- Lists an agent's positions, newest first.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent · 4 1 for closed ones, too, else 0 · 5 limit · 6 number to go on below ('' from
--          the top) · 7 most to look at
-- Returns  'ok', number to go on below ('' at the end), how many there are, position rows…
--          'not_found': there is no such agent
-- include: position budget walk

if redis.call('EXISTS', key.agent(ARGV[3])) == 0 then return { 'not_found' } end
local index = ARGV[4] == '1' and key.positions_by_agent(ARGV[3]) or key.open_positions(ARGV[3])
local reply = { 'ok', '', redis.call('ZCARD', index) }
return walk({ index }, { ARGV[5], ARGV[6], ARGV[7] }, reply, append_position)
