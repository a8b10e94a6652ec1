-- Puts a draft into the queue, once its message is there, or lets it wait for the tasks of its session before
-- it, or ends it, where another has taken its place. Repeating it changes nothing.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
--          hand_over: flag      Old workers, which pop a list, are told of it, too.
-- Returns  ok(text)             The task's status.
--          not_found
-- Emits    task_pending · task_waiting · task_cancelled
-- include: claim routable hand_over busy

redis.call('ZREM', key.draft_tasks, task_id)
local row = redis.call('HMGET', key.task(task_id), 'status', 'unmet', 'interrupted')
if not row[1] then return { 'not_found' } end
if row[1] ~= 'draft' then return { 'ok', row[1] } end
local waits = row[2] and still_before(task_id) > 0
redis.call('HSET', key.task(task_id), 'status', waits and 'waiting' or 'pending')
local task = read_task(task_id)
if not waits then enqueue(task) end
index_task(task)
announce_task(task, nil, waits and 'dependencies' or 'submitted')
if row[3] then
  cancel_task(task, 'interrupted')
elseif hand_over == '1' and not waits then
  push_old_task(task.message, task_id)
end
keep_clock()
return { 'ok', task.status }
