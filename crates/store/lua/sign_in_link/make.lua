-- Makes the link by which a browser signs in with a key; an earlier one of the same key is good no
-- more, so that a key has one at most.
--
-- KEYS[1]  the ledger partition
-- ARGV     key_id: text         The key's id.
--          digest: text         SHA-256 of that key, in hex; empty where nothing compares it.
--          code: text           SHA-256 of the link's code, in hex.
--          life_ms: int         How long it is good, in milliseconds.
-- Returns  ok
-- include: now

redis.call('DEL', key.sign_in_link(key_id))
redis.call('HSET', key.sign_in_link(key_id), 'code', code, 'digest', digest,
  'expires_at', now + tonumber(life_ms))
redis.call('PEXPIRE', key.sign_in_link(key_id), SIGN_IN_LINK_KEPT_MS)
return { 'ok' }
