-- Says who holds a lock.
--
-- KEYS[1]  the cluster partition
-- ARGV     name: LockId         Which.
-- Returns  ok(Box<Lock>)
--          not_found            Nobody does.
-- include: lock

local reply = { 'ok' }
if not append_lock(reply, name) then return { 'not_found' } end
return reply
