-- Tells those that follow what has ended, and the groups of what has ended, some at a time.
--
-- KEYS[1]  the cluster partition
-- Call     Release
-- ARGV     none
-- Returns  ok(more: flag)
-- Emits    task_pending · task_waiting · task_failed · task_cancelled · group_failing · group_ended
-- full: runs
-- include: flow

local more = release_some(FOLLOWERS_AT_ONCE)
keep_clock()
return { 'ok', more and 1 or 0 }
