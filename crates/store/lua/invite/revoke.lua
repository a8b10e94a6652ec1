-- Revokes an open invite: from here on it lets nobody in.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 invite
-- Returns  'ok' · 'not_found'
-- full: runs
-- include: now clock key invite

if not append_invite({}, ARGV[3]) or not redis.call('ZSCORE', key.invites, ARGV[3]) then
  return { 'not_found' }
end
unlist_invite(ARGV[3])
redis.call('DEL', key.invite(ARGV[3]))
return { 'ok' }
