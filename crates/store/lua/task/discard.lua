-- Forgets a draft whose message cannot be made.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok'
-- full: runs
-- include: queue

local id = ARGV[3]
redis.call('ZREM', key.draft_tasks, id)
local row = redis.call('HMGET', key.task(id), 'status', 'owner', 'counted')
if row[1] == 'draft' then
  redis.call('DEL', key.task(id))
  count_unfinished({ owner = row[2], counted = row[3] }, -1)
end
return { 'ok' }
