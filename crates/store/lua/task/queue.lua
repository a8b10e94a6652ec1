-- Puts a draft into the queue, once its message is there. Repeating it changes nothing.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id · 4 most entries of the list for old workers (0: they are not told)
-- Returns  'ok', status · 'not_found'
-- Emits    task_pending
-- include: now clock foreign rfc3339 event queue node claim routable hand_over

local id = ARGV[3]
redis.call('ZREM', key.draft_tasks, id)
local status = redis.call('HGET', key.task(id), 'status')
if not status then return { 'not_found' } end
if status ~= 'draft' then return { 'ok', status } end
redis.call('HSET', key.task(id), 'status', 'pending')
local task = read_task(id)
enqueue(task)
index_task(task)
announce_task(task, nil, 'submitted')
if tonumber(ARGV[4]) > 0 then hand_over(task.message, id, tonumber(ARGV[4])) end
keep_clock()
return { 'ok', 'pending' }
