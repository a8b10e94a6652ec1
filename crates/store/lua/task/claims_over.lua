-- Names claims of session tasks that are over, of which their messages may not have heard.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(text*)            Message and number of each, with a slash between them.

return { 'ok', unpack(redis.call('ZRANGE', key.claims_over, 0, TASK_BATCH - 1)) }
