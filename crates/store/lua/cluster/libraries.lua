-- Notes which libraries of functions the caller uses, and names those in Redis that nobody has noted for
-- long: a version of the hub that is no more has left them.
--
-- KEYS[1]  the cluster partition
-- Call     NoteLibraries
-- ARGV     own: int             How many of the names are the caller's own; they come first.
--          names: text*         Its own, and what others are in Redis.
-- Returns  ok(text*)            Of the others, those that may go.
-- include: now

local noted, there = {}, {}
local row = redis.call('HGETALL', key.libraries)
for i = 1, #row, 2 do noted[row[i]] = tonumber(row[i + 1]) end

local reply = { 'ok' }
for i, name in ipairs(names) do
  there[name] = true
  if i <= tonumber(own) or not noted[name] then
    redis.call('HSET', key.libraries, name, now)
  elseif now - noted[name] >= LIBRARY_KEPT_MS then
    reply[#reply + 1] = name
  end
end
for name in pairs(noted) do
  if not there[name] then redis.call('HDEL', key.libraries, name) end
end
return reply
