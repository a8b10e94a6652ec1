-- Removes the log of a task that is gone, and has its readers look. That of another task of the same id is
-- left alone.
--
-- KEYS[1]  the tasklog partition
-- ARGV     task_id: TaskId      Of which task.
--          version: text        Which task of this id it was.
-- Returns  ok
-- full: runs

if redis.call('HGET', key.tasklog_state(task_id), 'version') == version then
  redis.call('DEL', key.tasklog(task_id), key.tasklog_state(task_id))
end
redis.call('PUBLISH', key.live_tasklog(task_id), '0-0 lines {}')
return { 'ok' }
