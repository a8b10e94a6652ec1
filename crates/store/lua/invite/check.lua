-- Says whether a token is that of an invite, which may be used up.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 invite · 4 SHA-256 of the token
-- Returns  'ok' · 'unknown'
-- include: now clock key invite

return { read_invite(ARGV[3], ARGV[4]) and 'ok' or 'unknown' }
