-- Lets a draft begin whose money is there. Repeating it changes nothing.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(text)             The task's status.
--          not_found
-- Emits    task_pending · task_scheduled · task_waiting
-- include: take

redis.call('ZREM', key.draft_tasks, task_id)
local status = redis.call('HGET', key.task(task_id), 'status')
if not status then return { 'not_found' } end
if status ~= 'draft' then return { 'ok', status } end
redis.call('HSET', key.task(task_id), 'status', 'pending')
local task, large = read_task(task_id), key.task_large(task_id)
local begins = redis.call('HGET', large, 'begins')
local delay_ms, approval, wait_id = unpack(begins and cmsgpack.unpack(begins) or { '0', '' })
if begins then redis.call('HDEL', large, 'begins') end
begin(task, { delay_ms = delay_ms, approval = approval, wait_id = wait_id })
keep_clock()
return { 'ok', task.status }
