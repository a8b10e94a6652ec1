-- Lists tasks that wait for a node, in the order of claiming.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 owner ('' for all) · 4 limit · 5 rank to go on behind ('' from the first) · 6 most
--          entries to look at · 7 most bytes
-- Returns  'ok', rank to go on behind ('' at the end), task rows…
-- include: now clock event queue node claim

local limit, scan_max, bytes_max = tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
local reply = { 'ok', '' }
local listed, bytes = 0, 0
local from = ARGV[5] == '' and '-inf' or '(' .. ARGV[5]
local entries = redis.call('ZRANGEBYSCORE', key.waiting_tasks, from, '+inf', 'WITHSCORES',
  'LIMIT', 0, scan_max)
for i = 1, #entries, 2 do
  if listed == limit or bytes > bytes_max then return reply end
  local is_shown = ARGV[3] == ''
    or redis.call('HGET', key.task(entries[i]), 'owner') == ARGV[3]
  local added = is_shown and append_task(reply, entries[i])
  if added then listed, bytes = listed + 1, bytes + added end
  reply[2] = entries[i + 1]
end
if #entries < 2 * scan_max then reply[2] = '' end
return reply
