-- Revokes a key: from here on it is unknown, everywhere.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 key id · 4 whose it must be ('' anybody's)
-- Returns  'ok' · 'not_found'
-- full: runs
-- include: now key

if not owned_key(ARGV[3], ARGV[4]) then return { 'not_found' } end
forget_key(ARGV[3])
return { 'ok' }
