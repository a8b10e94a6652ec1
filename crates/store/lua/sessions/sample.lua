-- Names some of an owner's sessions: the oldest, and as many by chance. Which of them have expired
-- only their own partitions know.
--
-- KEYS[1]  the cluster partition
-- ARGV     owner: text          Whose.
--          most: int            Most sessions.
-- Returns  ok(SessionId*)

local half = math.floor(tonumber(most) / 2)
local reply = { 'ok' }
local seen = {}
local list = key.sessions_by_owner(owner)
for _, ids in ipairs({ redis.call('ZRANGE', list, 0, half - 1),
  redis.call('ZRANDMEMBER', list, half) }) do
  for _, id in ipairs(ids) do
    if not seen[id] then reply[#reply + 1] = id end
    seen[id] = true
  end
end
return reply
