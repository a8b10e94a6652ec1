-- Lists agents, newest registration first.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 limit · 4 number to go on below ('' from the top) · 5 most entries to look at
-- Returns  'ok', number to go on below ('' at the end), agent rows
-- include: agent budget walk

return walk_one(key.agents, nil, { ARGV[3], ARGV[4], ARGV[5] }, { 'ok', '' }, append_agent)
