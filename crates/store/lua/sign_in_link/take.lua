-- Takes a link by which a browser signs in: it is good once, and for its time by Redis' clock.
--
-- KEYS[1]  the ledger partition
-- ARGV     key_id: text         The key that it signs in with.
--          code: text           SHA-256 of the link's code, in hex.
-- Returns  Taken:
--          ok(digest: text)     SHA-256 of the key.
--          used                 It was good, and has been used.
--          expired              It was not used in time.
--          unknown              There is no such link, or there was another one since.
-- include: now

local link = redis.call('HMGET', key.sign_in_link(key_id), 'code', 'digest', 'expires_at', 'used')
if not link[1] or link[1] ~= code then return { 'unknown' } end
if link[4] then return { 'used' } end
if tonumber(link[3]) <= now then return { 'expired' } end
redis.call('HSET', key.sign_in_link(key_id), 'used', 1)
return { 'ok', link[2] }
