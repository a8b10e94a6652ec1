-- Puts a draft into the queue, once its message is there. Repeating it changes nothing.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
--          hand_over: flag      Old workers, which pop a list, are told of it, too.
-- Returns  ok(text)             The task's status.
--          not_found
-- Emits    task_pending
-- include: claim routable hand_over

redis.call('ZREM', key.draft_tasks, task_id)
local status = redis.call('HGET', key.task(task_id), 'status')
if not status then return { 'not_found' } end
if status ~= 'draft' then return { 'ok', status } end
redis.call('HSET', key.task(task_id), 'status', 'pending')
local task = read_task(task_id)
enqueue(task)
index_task(task)
announce_task(task, nil, 'submitted')
if hand_over == '1' then push_old_task(task.message, task_id) end
keep_clock()
return { 'ok', 'pending' }
