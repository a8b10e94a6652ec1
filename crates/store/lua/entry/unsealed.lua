-- The links that the next seal covers, once there are as many. How far the journal is sealed, and
-- with what, stands in two places: where they differ, nothing is sealed, so that nobody gets a new
-- seal by deleting the old one.
--
-- KEYS[1]  the ledger partition
-- ARGV     seen: int            Seals that the caller has seen.
--          last: text           The last of them; empty for none.
-- Returns  Next:
--          ok(number: int, before: text, entries: int, link: text, links: text*)
--                               The number of the seal, the one before it (empty for none), the last entry
--                               (0 for none) and its link, and what the seal covers: nothing if there
--                               are too few.
--          broken(made: int, there: int)
--                               Seals were deleted or changed: how many the ledger says, and are there.

local row = redis.call('HMGET', key.ledger, 'sealed', 'seal', 'entries', 'link')
local number, there = tonumber(row[1]) or 0, redis.call('HLEN', key.seals)
local before = number > 0 and redis.call('HGET', key.seals, number - 1) or ''
seen = tonumber(seen)
local is_as_seen = number >= seen
  and (seen == 0 or redis.call('HGET', key.seals, seen - 1) == last)
if number ~= there or (number > 0 and before ~= row[2]) or not is_as_seen then
  return { 'broken', number, there }
end
local reply = { 'ok', number, before, row[3] or '0', row[4] or '' }
if (tonumber(row[3]) or 0) < (number + 1) * SEAL_ENTRIES then return reply end
local first = string.format('%.0f-0', number * SEAL_ENTRIES + 1)
for _, entry in ipairs(redis.call('XRANGE', key.entries, first, '+', 'COUNT', SEAL_ENTRIES)) do
  -- The link is the last field.
  reply[#reply + 1] = entry[2][#entry[2]]
end
return reply
