-- Goes on with a change of many tasks that have not ended, some at a time.
--
-- KEYS[1]  the cluster partition
-- Call     ChangeUnfinished
-- ARGV     bulk_id: BulkId      Which.
-- Returns  ok(Next)
-- Emits    bulk_ended · task_cancelled · task_edited
-- full: runs
-- include: records cancel rank bulk_step

return step_bulk(bulk_id, { unfinished = true }, function(job, task)
  if job.action == 'cancel' then
    cancel_task(task)
  else
    move_rank(task, job.priority)
    tell_task_edited(task.id, '["priority"]')
  end
  return true
end)
