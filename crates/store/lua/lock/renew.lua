-- Renews a lock: only its holder can, and only under its term.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          name: LockId         Which.
--          holder: text         Who holds it.
--          term: int            Under which term.
--          ttl_ms: int          For how long from now on, in milliseconds.
--          writer: Writer<'a>   Who sends the request.
-- Returns  Renewed:
--          ok(lock: Lock)       It is the holder's for so long.
--          forbidden            It is somebody else's.
--          fenced(holder: text?, term: int)
--                               Somebody else holds it, or nobody, or under another term.
-- full: runs
-- include: records once node lock

local function run()
  local lock = lock_of(name)
  keep_clock()
  if not lock or lock.left == 0 then return { 'fenced', '', lock and lock.term or 0 } end
  if is_foreign(lock.owner, writer) then return { 'forbidden' } end
  if lock.holder ~= holder or lock.term ~= tonumber(term) then
    return { 'fenced', lock.holder, lock.term }
  end
  keep_lock(lock, tonumber(ttl_ms))
  return { 'ok', name, lock.holder, lock.owner, lock.term, lock.left }
end

return once(run)
