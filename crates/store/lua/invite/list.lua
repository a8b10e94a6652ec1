-- Lists open invites, newest first. A page may be short: those that are over are left out.
--
-- KEYS[1]  the ledger partition
-- ARGV     limit: int           Most invites.
--          below: int?          The number to go on below.
-- Returns  ok(Page<Invite>)
-- include: invite

limit = tonumber(limit)
local top = below == '' and '+inf' or '(' .. below
local page = redis.call('ZREVRANGEBYSCORE', key.invites, top, '-inf', 'WITHSCORES',
  'LIMIT', 0, limit)
local reply = { 'ok', #page == 2 * limit and page[#page] or '' }
for i = 1, #page, 2 do append_invite(reply, page[i]) end
return reply
