-- Moves money from one agent to another.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 settlement · 4 from · 5 to (another) · 6 amount in millionths · 7 memo
-- Returns  'ok', number of the entry, when · 'not_found', which agent
--          'insufficient', what is available
-- include: now clock records once journal hold

local from, to, amount = ARGV[4], ARGV[5], tonumber(ARGV[6])

local function run()
  if not is_agent(from) then return { 'not_found', from } end
  if not is_agent(to) then return { 'not_found', to } end
  settle_holds(HOLDS_ON_THE_WAY)
  if available(from) < amount then return { 'insufficient', int(available(from)) } end
  return { 'ok', post('transfer', ARGV[3], ARGV[7], { from, -amount, to, amount }, {}), now }
end

return once(run)
