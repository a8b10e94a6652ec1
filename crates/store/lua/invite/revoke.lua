-- Revokes an open invite: from here on it lets nobody in.
--
-- KEYS[1]  the ledger partition
-- ARGV     audit
--          invite_id: InviteId  Which.
-- Returns  ok
--          not_found
-- full: runs
-- include: invite audit

if not append_invite({}, invite_id) or not redis.call('ZSCORE', key.invites, invite_id) then
  return { 'not_found' }
end
audit('invite.revoke', invite_id, facts_of(key.invite(invite_id), 'uses n used n scopes t created_by t'))
unlist_invite(invite_id)
redis.call('DEL', key.invite(invite_id))
return { 'ok' }
