-- Reads what happened in some minutes, or hours, and what of them is not moved there yet (history/roll): each as
-- a number and its counts, of which one number may have several.
--
-- KEYS[1]  the cluster partition
-- ARGV     minutes: int         How many minutes each is: 1 or 60.
--          first: int           The first, by its number since 1970.
--          last: int            The last; below the first: none.
-- Returns  ok(Counted)
-- include: history

local reply = { 'ok', now }
local function append(number, counts)
  local n = #reply
  reply[n + 1], reply[n + 2] = number, counts
end
for number = tonumber(first), tonumber(last) do
  local counts = redis.call('HGETALL', minutes == '1' and key.history(number) or key.history_hour(number))
  if counts[1] then append(number, table.concat(counts, ' ')) end
end
local lately = redis.call('HGETALL', key.history_new)
for i = 1, #lately, 2 do
  local minute, what = string.match(lately[i], '^(%d+)(.+)$')
  local number = math.floor(minute / minutes)
  if number >= tonumber(first) and number <= tonumber(last) then
    append(number, table.concat(counts_of(what, lately[i + 1]), ' '))
  end
end
return reply
