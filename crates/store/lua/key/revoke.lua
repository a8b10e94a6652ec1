-- Revokes a key: from here on it is unknown, everywhere. A key cannot revoke one that has more
-- scopes or ends later; who administers can, unless that one administers, too.
--
-- KEYS[1]  the ledger partition
-- ARGV     audit
--          key_id: KeyId        Which.
--          maker: KeyId?        The key that asks, which must not be exceeded; `None`: the admin key.
-- Returns  Revoked:
--          ok                   It is unknown from here on.
--          not_found            There is none, or it is another agent's.
--          beyond(Excess)       It exceeds the key that asks.
--          unknown              The key that asks is good no more.
-- full: runs
-- include: key audit

local asker = read_maker(maker)
if not asker then return { 'unknown' } end
local other = read_other(asker, key_id)
if not other then return { 'not_found' } end
local beyond = excess(asker, other.scopes, other.ends)
if beyond and (not asker.administers or has_scope(other.scopes, 'admin')) then
  return { 'beyond', beyond }
end
forget_key(key_id)
audit('key.revoke', key_id, facts('agent_id', other.agent, 'name', other.name, 'scopes', other.scopes))
return { 'ok' }
