-- Makes an invite. It is good for as long as the key that made it, and the keys that it brings have
-- no scope which that one has not and end no later.
--
-- KEYS[1]  the ledger partition
-- ARGV     once
--          audit
--          invite_id: InviteId  Its id.
--          digest: text         SHA-256 of its token, in hex.
--          uses: int            How many agents it lets in.
--          scopes: Scopes       What their first keys allow.
--          life_ms: int         How long it is good at most, in milliseconds.
--          maker: KeyId?        The key that asks; `None`: the admin key.
--          made_by: text        Who asks.
-- Returns  Made:
--          ok(Invite)           It is there.
--          too_many             There are as many as there may be.
--          beyond               It would give scopes that the key that asks has not.
--          unknown              The key that asks is good no more.
--          id_collision         The generated id is in use: try again with another.
-- include: records once invite audit

local function run()
  local asker = read_maker(maker)
  if not asker then return { 'unknown' } end
  local life = tonumber(life_ms)
  if asker.ends then life = math.min(life, asker.ends - now) end
  local is_bound = not asker.is_admin_key
  if is_bound and (has_scope(scopes, 'admin') or excess(asker, scopes, asker.ends)) then
    return { 'beyond' }
  end
  if redis.call('EXISTS', key.invite(invite_id)) == 1 then return { 'id_collision' } end
  prune_invites(INVITES_PRUNED)
  if redis.call('ZCARD', key.invites) >= INVITES_MAX then return { 'too_many' } end
  local number = redis.call('HINCRBY', key.ledger, 'invites', 1)
  redis.call('HSET', key.invite(invite_id), 'digest', digest, 'uses', uses, 'used', 0,
    'scopes', scopes, 'maker', maker, 'created_by', made_by, 'created_at', now,
    'expires_at', now + life, 'until', clock + life, 'seq', number)
  redis.call('ZADD', key.invites, number, invite_id)
  redis.call('ZADD', key.due_invites, clock + life, invite_id)
  audit('invite.create', invite_id, nil, facts('uses', tonumber(uses), 'scopes', scopes, 'expires_at', now + life))
  keep_clock()
  local reply = { 'ok' }
  append_invite(reply, invite_id)
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many' end)
