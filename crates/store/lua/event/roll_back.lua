-- Tells readers of events that the journal went back.
--
-- KEYS[1]  the cluster partition
-- Call     RollBack
-- ARGV     first: int           The number of the first entry that is no more.
--          last: int            That of the last.
-- Returns  ok
-- Emits    ledger_rolled_back
-- full: runs
-- include: event

tell_ledger_rolled_back(first, last)
return { 'ok' }
