-- Forgets a draft whose message cannot be made.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok'

local id = ARGV[3]
redis.call('ZREM', key.draft_tasks, id)
if redis.call('HGET', key.task(id), 'status') == 'draft' then redis.call('DEL', key.task(id)) end
return { 'ok' }
