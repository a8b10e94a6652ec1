-- What happened to the leadership, newest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 limit
-- Returns  'ok', entries as JSON…
-- include: foreign

local entries = foreign('LRANGE', key.leader_history, 0, tonumber(ARGV[3]) - 1)
return { 'ok', unpack(entries or {}) }
