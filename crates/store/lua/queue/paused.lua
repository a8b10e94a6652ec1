-- Reads what is kept back.
--
-- KEYS[1]  the cluster partition
-- Call     Paused
-- ARGV     none
-- Returns  ok(text)
-- include: queue

return { 'ok', redis.call('HGET', key.queue_audiences, PAUSED) or '' }
