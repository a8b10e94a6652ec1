-- Calling a task off.
-- include: claim

-- Ends a task that has not ended. Whoever runs it hears of it with its next heartbeat or progress.
local function cancel_task(task, reason)
  if task.status == 'running' then
    end_claim(task, false)
    note_lost(task.node, { task.id }, 'cancelled')
  elseif task.status == 'waiting' then
    stop_waiting(task)
  else
    dequeue(task)
  end
  end_task(task, 'cancelled', reason or 'cancelled')
end
