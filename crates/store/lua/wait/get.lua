-- Reads a wait.
--
-- KEYS[1]  the cluster partition
-- ARGV     wait_id: WaitId      Which.
--          writer: Writer<'a>   Who asks.
-- Returns  ok(Box<Wait>)
--          not_found
-- include: claim wait

local wait = read_wait(wait_id)
if not wait or not may_see(wait, writer) then return { 'not_found' } end
local reply = { 'ok' }
append_wait(reply, wait_id)
return reply
