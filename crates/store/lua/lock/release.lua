-- Hands a lock back: only its holder can, and only under its term.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          name: LockId         Which.
--          holder: text         Who holds it.
--          term: int            Under which term.
--          writer: Writer<'a>   Who sends the request.
-- Returns  Released:
--          ok                   Nobody holds it now.
--          forbidden            It is somebody else's.
--          fenced(holder: text?, term: int)
--                               Somebody else holds it, or nobody, or under another term.
-- Emits    lock_changed
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
  forget_lock(lock)
  tell_lock_changed(name, '', lock.term, holder)
  return { 'ok' }
end

return once(run)
