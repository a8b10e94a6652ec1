-- Goes on with trying many tasks again that have ended, some at a time.
--
-- KEYS[1]  the cluster partition
-- Call     ReviveEnded
-- ARGV     bulk_id: BulkId      Which.
-- Returns  ok(Next)
-- Emits    bulk_ended · task_pending · task_waiting
-- full: runs
-- include: records revive bulk_step

return step_bulk(bulk_id, { ended = true }, function(_, task)
  if revival_refusal(task) then return false end
  revive(task, 'retried')
  return true
end)
