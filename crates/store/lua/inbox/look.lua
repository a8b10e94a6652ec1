-- Shows what waits in an inbox without taking it.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 limit · 5 1 to take in old clients' mail · 6 place to go on behind ('' from
--          the first)
-- Returns  'ok', place to go on behind ('' at the end), depth, then 4 for each message: id, attempts,
--          members (JSON without braces) or what an old client pushed, 1 if it is the latter else 0
-- include: now clock inbox budget walk

settle_leases(100)
if ARGV[5] == '1' then take_in_old_mail(100) end
keep_inbox()
return walk_one(key.waiting(agent), nil, { ARGV[4], ARGV[6], ARGV[4], ascending = true },
  { 'ok', '', depth() }, append_mail)
