-- Names claims of session tasks that are over, of which their messages may not have heard.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 most
-- Returns  'ok', then for each: message and number of the claim, with a slash between them

return { 'ok', unpack(redis.call('ZRANGE', key.claims_over, 0, ARGV[3] - 1)) }
