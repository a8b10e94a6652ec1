-- Reads the ledger's chain of the audit, from the newest or from the oldest entry on.
--
-- KEYS[1]  the ledger partition
-- ARGV     oldest_first: flag   From the first entry on, not from the last.
--          limit: int           Most entries.
--          after: text          The id of the last that was looked at; empty: begin.
--          filled: int          Bytes that the steps before have listed.
--          actor: text          Only this one's; with `*` at its end: whose begin so. Empty: everybody's.
--          action: text         The same of what was done.
--          target: text         The same of what it was done to.
-- Returns  ok(Looked)
-- include: audit_read

return list_audit(oldest_first, tonumber(limit), after, filled, actor, action, target)
