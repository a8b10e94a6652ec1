-- Drops what has been kept long enough of the cluster's chain of the audit; then reads what its next seal covers.
--
-- KEYS[1]  the cluster partition
-- ARGV     seen: int            Seals that the caller has seen.
--          last: text           The last of them; empty for none.
--          most: int            How many entries are kept.
--          kept_ms: int         For how long they are kept, in milliseconds.
-- Returns  Next:
--          ok(number: int, before: text, links: text*)
--                               The number of the seal, the one before it (empty for none), and what the seal
--                               covers: nothing if there are too few.
--          broken(made: int, there: int)
--                               Seals were deleted or changed: how many the chain says, and are there.
-- full: runs
-- include: audit_read

return tend_audit(tonumber(seen), last, tonumber(most), tonumber(kept_ms))
