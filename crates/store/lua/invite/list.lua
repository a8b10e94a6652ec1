-- Lists open invites, newest first. A page may be short: those that are over are left out.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 limit · 4 number to go on below ('' from the top)
-- Returns  'ok', number to go on below ('' at the end), invite rows
-- include: now clock key invite

local limit = tonumber(ARGV[3])
local below = ARGV[4] == '' and '+inf' or '(' .. ARGV[4]
local page = redis.call('ZREVRANGEBYSCORE', key.invites, below, '-inf', 'WITHSCORES',
  'LIMIT', 0, limit)
local reply = { 'ok', #page == 2 * limit and page[#page] or '' }
for i = 1, #page, 2 do append_invite(reply, page[i]) end
return reply
