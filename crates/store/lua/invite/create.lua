-- Makes an invite. It is good for as long as the key that made it, and the keys that it brings have
-- no scope which that one has not and end no later.
--
-- KEYS[1]  the ledger partition
-- ARGV     1-2 idempotency · 3 invite · 4 SHA-256 of the token · 5 uses · 6 scopes · 7 life in ms
--          8 the key that asks ('' the admin key) · 9 who asks · 10 most open invites
-- Returns  'ok', invite row · 'beyond', 'scopes' · 'too_many' · 'id_collision'
--          'unknown' (the key that asks is good no more)
-- include: now clock records once key invite

local id = ARGV[3]

local function run()
  local maker = read_maker(ARGV[8])
  if not maker then return { 'unknown' } end
  local life_ms = tonumber(ARGV[7])
  if maker.ends then life_ms = math.min(life_ms, maker.ends - now) end
  local beyond = excess(maker, ARGV[6], maker.ends)
  if not maker.is_admin_key and has_scope(ARGV[6], 'admin') then beyond = 'scopes' end
  if beyond then return { 'beyond', beyond } end
  if redis.call('EXISTS', key.invite(id)) == 1 then return { 'id_collision' } end
  prune_invites(INVITES_PRUNED)
  if redis.call('ZCARD', key.invites) >= tonumber(ARGV[10]) then return { 'too_many' } end
  local number = redis.call('HINCRBY', key.ledger, 'invites', 1)
  redis.call('HSET', key.invite(id), 'digest', ARGV[4], 'uses', ARGV[5], 'used', 0,
    'scopes', ARGV[6], 'maker', ARGV[8], 'created_by', ARGV[9], 'created_at', now,
    'expires_at', now + life_ms, 'until', clock + life_ms, 'seq', number)
  redis.call('ZADD', key.invites, number, id)
  redis.call('ZADD', key.due_invites, clock + life_ms, id)
  keep_clock()
  local reply = { 'ok' }
  append_invite(reply, id)
  return reply
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'too_many' end)
