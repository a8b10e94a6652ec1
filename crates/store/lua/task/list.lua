-- Lists tasks, newest first, by any of status, node, user, session and owner.
--
-- Walks the smallest index that a filter names, and looks the others up by member. A page ends
-- early when it has looked at too many entries or has become too large.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 status · 4 node · 5 user · 6 session · 7 owner ('' for none) · 8 limit · 9 submission
--          number to go on below ('' from the top) · 10 most entries to look at · 11 most bytes
-- Returns  'ok', submission number to go on below ('' at the end), task rows…
-- include: now clock event queue node claim

local limit, scan_max, bytes_max = tonumber(ARGV[8]), tonumber(ARGV[10]), tonumber(ARGV[11])

local indexes = {}
if ARGV[3] ~= '' then indexes[#indexes + 1] = key.tasks_by_status(ARGV[3]) end
if ARGV[4] ~= '' then indexes[#indexes + 1] = key.tasks_by_node(ARGV[4]) end
if ARGV[5] ~= '' then indexes[#indexes + 1] = key.tasks_by_user(ARGV[5]) end
if ARGV[6] ~= '' then indexes[#indexes + 1] = key.tasks_by_session(ARGV[6]) end
if ARGV[7] ~= '' then indexes[#indexes + 1] = key.tasks_by_owner(ARGV[7]) end
if #indexes == 0 then indexes[1] = key.task_list end

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
local listed, scanned, bytes = 0, 0, 0
local last
local below = ARGV[9] == '' and '+inf' or '(' .. ARGV[9]
local batch = #indexes == 0 and limit + 1 or 200
while true do
  local entries = redis.call('ZREVRANGEBYSCORE', walked, below, '-inf', 'WITHSCORES',
    'LIMIT', 0, batch)
  for i = 1, #entries, 2 do
    if listed == limit or scanned == scan_max or bytes > bytes_max then
      reply[2] = last
      return reply
    end
    scanned = scanned + 1
    last = entries[i + 1]
    local added = is_in_others(entries[i]) and append_task(reply, entries[i])
    if added then listed, bytes = listed + 1, bytes + added end
  end
  if #entries < 2 * batch then return reply end
  below = '(' .. last
end
