-- Says whether a token is that of an invite. One that is used up is known, too, so that a repeated
-- registration finds its answer.
--
-- KEYS[1]  the ledger partition
-- ARGV     invite_id: InviteId  The id that the token carries.
--          digest: text         SHA-256 of the token, in hex.
-- Returns  ok
--          not_found
-- include: invite

return { read_invite(invite_id, digest) and 'ok' or 'not_found' }
