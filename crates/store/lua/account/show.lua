-- What an agent has. Holds whose time is over do not count, whether the monitor has come or not.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent
-- Returns  'ok', balance, locked (millionths) · 'not_found'
-- include: now clock journal hold

if not is_agent(ARGV[3]) then return { 'not_found' } end
settle_holds(HOLDS_ON_THE_WAY)
local reply = { 'ok' }
append_account(reply, ARGV[3])
return reply
