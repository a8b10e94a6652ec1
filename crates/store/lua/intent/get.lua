-- Reads an intent.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 intent · 4 owner to check ('' for anybody's)
-- Returns  'ok', intent row · 'not_found' · 'forbidden'
-- include: intent

local intent = read_intent(ARGV[3])
if not intent then return { 'not_found' } end
if ARGV[4] ~= '' and intent.agent ~= ARGV[4] then return { 'forbidden' } end
local reply = { 'ok' }
append_intent(reply, intent.id)
return reply
