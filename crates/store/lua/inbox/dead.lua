-- Shows the dead letters of an inbox.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 limit · 5 place to go on behind ('' from the first)
-- Returns  'ok', place to go on behind ('' at the end), how many there are, then 4 for each message:
--          id, attempts, members (JSON without braces) or what an old client pushed, 1 if it is the
--          latter else 0
-- include: now clock inbox budget walk

settle_leases(100)
keep_inbox()
return walk_one(key.dead(agent), nil, { ARGV[4], ARGV[5], ARGV[4], ascending = true },
  { 'ok', '', redis.call('ZCARD', key.dead(agent)) }, append_mail)
