-- Reads a limit, and how one of its uses stands.
--
-- KEYS[1]  the cluster partition
-- Call     Get
-- ARGV     name: LimitId      Which.
--          owner: text          Whose use, where each owner has one.
--          use_key: text        Of which key.
-- Returns  ok(Box<LimitStanding>)
--          not_found
-- include: limits limit

local reply = { 'ok' }
if not append_limit(reply, name) then return { 'not_found' } end
local under = { name, use_key, 1, 0 }
local use = use_of(under, owner)
local till, by = shut_till(under, use)
local n = #reply
reply[n + 1] = redis.call('SCARD', key.limit_held(use))
reply[n + 2] = redis.call('ZCARD', key.limit_parked(use))
reply[n + 3] = by or ''
reply[n + 4] = till and till < math.huge and string.format('%.0f', now + math.ceil(till - clock)) or ''
reply[n + 5] = redis.call('HGET', key.limit_use(use), 'penalised_at') or ''
return reply
