-- Goes on with forgetting many tasks that have ended, some at a time.
--
-- KEYS[1]  the cluster partition
-- Call     RemoveEnded
-- ARGV     bulk_id: BulkId      Which.
-- Returns  ok(Next)
-- Emits    bulk_ended
-- full: runs
-- include: records claim bulk_step

return step_bulk(bulk_id, { removed = true }, function(_, task)
  if redis.call('ZSCORE', key.unsettled_tasks, task.id) or is_untold(task) then return false end
  forget_task(task)
  return true
end)
