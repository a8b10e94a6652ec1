-- Reads an intent.
--
-- KEYS[1]  the ledger partition
-- ARGV     intent_id: IntentId  Which.
--          writer: Writer<'a>   Who asks.
-- Returns  Seen<Box<Intent>>
-- include: intent

local intent = read_intent(intent_id)
if not intent then return { 'not_found' } end
if writer ~= '' and intent.agent ~= writer then return { 'forbidden' } end
local reply = { 'ok' }
append_intent(reply, intent.id)
return reply
