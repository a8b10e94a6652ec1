-- What a task's next claim begins with.
-- include: queue

-- Keeps what a task's next claim begins with.
local function keep_checkpoint(task, checkpoint)
  if checkpoint == '' then return end
  local large = key.task_large(task.id)
  recount(task, #checkpoint - redis.call('HSTRLEN', large, 'checkpoint'))
  redis.call('HSET', large, 'checkpoint', checkpoint)
end
