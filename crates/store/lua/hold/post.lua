-- Pays what a hold reserves, or a part of it, and releases the rest. One that is not
-- what the journal says of it pays nothing (`altered`).
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          hold_id: HoldId      Which.
--          writer: Writer<'a>   Who asks.
--          amount: Option<Money>
--                               How much; `None`: all.
--          to_agent: AgentId    To whom.
--          task_id: TaskId?     The task that ends with it.
-- Returns  Ended:
--          ok(Hold)             It has.
--          not_found            There is no such hold.
--          unknown_agent        There is no agent of the id that was to be paid.
--          forbidden            It is somebody else's.
--          state(text)          It had ended before: its status.
--          self                 It would be paid to whom it was taken from.
--          over(Money)          It reserves less: this much.
--          task(text)           A task is paid from it, and ends it.
-- include: records once hold audit

local function run()
  local hold, refusal = pending_hold(hold_id, writer, task_id)
  if not hold then return refusal end
  if not is_agent(to_agent) then return { 'unknown_agent' } end
  if to_agent == hold.agent then return { 'self' } end
  local paid = tonumber(amount) or hold.amount
  if paid > hold.amount then return { 'over', int(hold.amount) } end
  post('hold_posted', hold_id, '', { hold.agent, -paid, to_agent, paid },
    { hold.agent, -hold.amount })
  end_hold(hold, 'posted', paid)
  redis.call('HSET', key.hold(hold_id), 'to_agent', to_agent)
  if task_id == '' then
    audit('hold.post', hold_id, facts('agent_id', hold.agent, 'amount', decimal(hold.amount)),
      facts('status', 'posted', 'to_agent', to_agent, 'paid', decimal(paid)))
  end
  local reply = { 'ok' }
  append_hold(reply, hold_id)
  return reply
end

return once(run)
