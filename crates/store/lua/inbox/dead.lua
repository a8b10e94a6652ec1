-- Shows the dead letters of an inbox.
--
-- KEYS[1]  the inbox partition
-- Call     ListDead
-- ARGV     agent: text          Whose inbox.
--          limit: int           Most messages.
--          after: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Mails)
-- include: inbox walk

settle_leases(100)
keep_inbox()
return walk_one(key.dead(inbox), nil, { limit, after, limit, ascending = true, filled = filled },
  { 'ok', '', 0, redis.call('ZCARD', key.dead(inbox)) }, append_mail)
