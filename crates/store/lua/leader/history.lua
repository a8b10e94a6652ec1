-- What happened to the leadership, newest first.
--
-- KEYS[1]  the cluster partition
-- Call     ReadHistory
-- ARGV     limit: int           Most entries.
-- Returns  ok(History)
-- include: foreign budget

local entries = foreign('LRANGE', key.leader_history, 0, limit - 1)
local reply = { 'ok' }
-- Old clients write to this list, too: what is longer than any entry is none.
for _, entry in ipairs(entries or {}) do
  if #entry <= 65536 and has_room(#entry) then reply[#reply + 1] = entry end
end
return reply
