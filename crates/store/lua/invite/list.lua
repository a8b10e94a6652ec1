-- Lists open invites, newest first.
--
-- KEYS[1]  the ledger partition
-- ARGV     limit: int           Most invites.
--          below: int?          The number to go on below.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Invite>)
-- include: invite walk

return walk_one(key.invites, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, { 'ok', '', 0 }, append_invite)
