-- Revokes a key: from here on it is unknown, everywhere. A key cannot revoke one that has more
-- scopes or ends later; who administers can, unless that one administers, too.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 key id · 4 the key that asks ('' the admin key)
-- Returns  'ok' · 'not_found' · 'beyond', 'scopes' or 'end'
--          'unknown' (the key that asks is good no more)
-- full: runs
-- include: now key

local maker = read_maker(ARGV[4])
if not maker then return { 'unknown' } end
local other = read_other(maker, ARGV[3])
if not other then return { 'not_found' } end
local beyond = excess(maker, other.scopes, other.ends)
if beyond and (not maker.administers or has_scope(other.scopes, 'admin')) then
  return { 'beyond', beyond }
end
forget_key(ARGV[3])
return { 'ok' }
