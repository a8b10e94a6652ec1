-- Releases what a hold reserves. One that is not what the journal says of it releases nothing
-- (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          hold_id: HoldId      Which.
--          writer: Writer<'a>   Who asks.
--          task_id: TaskId?     The task that ends with it.
-- Returns  Ended
-- full: runs
-- include: records once hold audit

local function run()
  local hold, refusal = pending_hold(hold_id, writer, task_id)
  if not hold then return refusal end
  post('hold_voided', hold_id, '', {}, { hold.agent, -hold.amount })
  end_hold(hold, 'voided', 0)
  -- Where a task ends it, that is what was done.
  if task_id == '' then
    audit('hold.void', hold_id, facts('agent_id', hold.agent, 'amount', decimal(hold.amount)),
      facts('status', 'voided'))
  end
  local reply = { 'ok' }
  append_hold(reply, hold_id)
  return reply
end

return once(run)
