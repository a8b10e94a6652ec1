-- Lists agents, newest registration first.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 limit · 4 number to go on below ('' from the top)
-- Returns  'ok', number to go on below ('' at the end), agent rows
-- include: agent

local limit = tonumber(ARGV[3])
local below = ARGV[4] == '' and '+inf' or '(' .. ARGV[4]
local page = redis.call('ZREVRANGEBYSCORE', key.agents, below, '-inf', 'WITHSCORES',
  'LIMIT', 0, limit)
local reply = { 'ok', #page == 2 * limit and page[#page] or '' }
for i = 1, #page, 2 do append_agent(reply, page[i]) end
return reply
