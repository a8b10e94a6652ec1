-- Goes on with a change of many tasks that have ended, some at a time.
--
-- KEYS[1]  the cluster partition
-- Call     ChangeEnded
-- ARGV     bulk_id: BulkId      Which.
-- Returns  ok(Next)
-- Emits    bulk_ended · task_pending · task_waiting
-- full: runs
-- include: records claim revive bulk_step

return step_bulk(bulk_id, { ended = true }, function(job, task)
  if job.action == 'retry' then
    if revival_refusal(task) then return false end
    revive(task, 'retried')
    return true
  end
  if redis.call('ZSCORE', key.unsettled_tasks, task.id) or is_untold(task) then return false end
  forget_task(task)
  return true
end)
