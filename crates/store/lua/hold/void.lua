-- Releases what a hold reserves. One that is not what the journal says of it releases nothing
-- (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          hold_id: HoldId      Which.
--          writer: Writer<'a>   Who asks.
--          task_id: TaskId?     The task that ends with it.
-- Returns  Ended
-- full: runs
-- include: records once hold

local function run()
  local hold, refusal = pending_hold(hold_id, writer, task_id)
  if not hold then return refusal end
  post('hold_voided', hold_id, '', {}, { hold.agent, -hold.amount })
  end_hold(hold, 'voided', 0)
  local reply = { 'ok' }
  append_hold(reply, hold_id)
  return reply
end

return once(run)
