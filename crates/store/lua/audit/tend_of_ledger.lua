-- Drops what has been kept long enough of the ledger's chain of the audit; then reads what its next seal covers.
--
-- KEYS[1]  the ledger partition
-- ARGV     seen: int            Seals that the caller has seen.
--          last: text           The last of them; empty for none.
--          most: int            How many entries are kept.
--          kept_ms: int         For how long they are kept, in milliseconds.
-- Returns  Next
-- full: runs
-- include: audit_read

return tend_audit(tonumber(seen), last, tonumber(most), tonumber(kept_ms))
