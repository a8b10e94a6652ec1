-- Revokes an open invite: from here on it lets nobody in.
--
-- KEYS[1]  the ledger partition
-- ARGV     invite_id: InviteId  Which.
-- Returns  ok
--          not_found
-- full: runs
-- include: invite

if not append_invite({}, invite_id) or not redis.call('ZSCORE', key.invites, invite_id) then
  return { 'not_found' }
end
unlist_invite(invite_id)
redis.call('DEL', key.invite(invite_id))
return { 'ok' }
