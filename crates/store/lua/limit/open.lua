-- Opens limits whose time has come, some at a time: classes that were parked for them are listed again.
--
-- KEYS[1]  the cluster partition
-- Call     OpenLimits
-- ARGV     none
-- Returns  ok(flag)  Whether there may be more.
-- Emits    class_open
-- full: runs
-- include: records claim limit

return { 'ok', open_due(LIMITS_OPENED_MAX) == LIMITS_OPENED_MAX and 1 or 0 }
