-- include: foreign

-- Tells old workers, which pop a list, of a task within a message (contract.md §8).
local function hand_over(message, task, most)
  foreign('LPUSH', key.old_task_queue, '{"message_id":"' .. message .. '","task_id":"' .. task
    .. '"}')
  foreign('LTRIM', key.old_task_queue, 0, most - 1)
end
