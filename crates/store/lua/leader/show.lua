-- Says who leads.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(Leadership)
-- Emits    leader_changed, if something happened since anybody last looked
-- include: leader

-- Whoever asks hears who leads also where Redis takes no writes.
may_settle()
local node, term, left = observe()
keep_clock()
return { 'ok', left > 0 and node or '', term, left }
