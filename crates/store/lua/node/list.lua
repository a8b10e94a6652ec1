-- Lists nodes, newest registration first, by any of status, skill and tag.
--
-- Walks the smallest index that a filter names, and looks the others up by member, so that a
-- filter never reads nodes that it does not list.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 status · 4 skill · 5 tag ('' for none) · 6 limit · 7 registration number to go on
--          below ('' from the top) · 8 most index entries to look at
-- Returns  'ok', registration number to go on below ('' at the end), rows…
-- include: now clock foreign rfc3339 event queue node

local limit, scan_max = tonumber(ARGV[6]), tonumber(ARGV[8])

local indexes = {}
if ARGV[3] == 'online' and ARGV[4] ~= '' then
  indexes[1] = key.online_by_skill(ARGV[4])
else
  if ARGV[3] ~= '' then indexes[#indexes + 1] = key.by_status(ARGV[3]) end
  if ARGV[4] ~= '' then indexes[#indexes + 1] = key.by_skill(ARGV[4]) end
end
if ARGV[5] ~= '' then indexes[#indexes + 1] = key.by_tag(ARGV[5]) end
if #indexes == 0 then indexes[1] = key.nodes end

local sizes = {}
for _, index in ipairs(indexes) do sizes[index] = redis.call('ZCARD', index) end
table.sort(indexes, function(a, b) return sizes[a] < sizes[b] end)
local walked = table.remove(indexes, 1)

local function is_in_others(id)
  for _, index in ipairs(indexes) do
    if not redis.call('ZSCORE', index, id) then return false end
  end
  return true
end

local reply = { 'ok', '' }
local listed, scanned = 0, 0
local last
local below = ARGV[7] == '' and '+inf' or '(' .. ARGV[7]
local batch = #indexes == 0 and limit + 1 or 200
while true do
  local entries = redis.call('ZREVRANGEBYSCORE', walked, below, '-inf', 'WITHSCORES',
    'LIMIT', 0, batch)
  for i = 1, #entries, 2 do
    if listed == limit or scanned == scan_max then
      reply[2] = last
      return reply
    end
    scanned = scanned + 1
    last = entries[i + 1]
    if is_in_others(entries[i]) and append_node(reply, entries[i]) then listed = listed + 1 end
  end
  if #entries < 2 * batch then return reply end
  below = '(' .. last
end
