-- Names claims of session tasks that are over, of which their messages may not have heard, and logs of
-- tasks that are gone.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(text*)            Message and number of each, with a slash between them; of a log `@`, its
--                               task and which of this id it was.

return { 'ok', unpack(redis.call('ZRANGE', key.claims_over, 0, TASK_BATCH - 1)) }
