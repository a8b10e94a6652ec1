-- Where the cluster's event log ends.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(text)             Its id; `0-0` if there is none.

local youngest = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
return { 'ok', youngest and youngest[1] or '0-0' }
