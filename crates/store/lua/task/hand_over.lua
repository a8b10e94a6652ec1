-- Tells old workers, which pop a list, of a task within a message (`contract.md` §8).
--
-- KEYS[1]  the cluster partition
-- ARGV     message_id: MessageId  The message.
--          task_id: TaskId      The task.
-- Returns  ok
-- include: hand_over

push_old_task(message_id, task_id)
return { 'ok' }
