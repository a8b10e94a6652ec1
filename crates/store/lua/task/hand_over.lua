-- Tells old workers of a task within a message.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 message · 4 task · 5 most entries
-- Returns  'ok'
-- include: foreign hand_over

hand_over(ARGV[3], ARGV[4], tonumber(ARGV[5]))
return { 'ok' }
