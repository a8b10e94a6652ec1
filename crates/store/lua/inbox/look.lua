-- Shows what waits in an inbox without taking it.
--
-- KEYS[1]  the inbox partition
-- ARGV     agent: text          Whose inbox.
--          limit: int           Most messages.
--          with_old_mail: flag  Take in what old clients pushed.
--          after: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Mails)
-- include: inbox walk

settle_leases(100)
if with_old_mail == '1' then take_in_old_mail(100) end
keep_inbox()
return walk_one(key.waiting(inbox), nil, { limit, after, limit, ascending = true, filled = filled },
  { 'ok', '', 0, depth() }, append_mail)
