-- Reads what the ledger's chain of the audit says of itself, and its seals.
--
-- KEYS[1]  the ledger partition
-- Call     ListSealsOfLedger
-- ARGV     from: int            Number of the first, from 0; those that are dropped are passed over.
--          limit: int           Most seals.
-- Returns  ok(Head)
-- include: audit_read

return list_audit_seals(tonumber(from), tonumber(limit))
