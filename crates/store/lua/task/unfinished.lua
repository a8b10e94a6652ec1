-- Names session tasks that a crash may have left half done: drafts whose message was to be made, and
-- ended ones that their message has not heard of. What is younger is still being worked on.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 age in ms · 4 most of each
-- Returns  'ok', number of drafts, drafts…, ended ones…
-- include: now clock

local before = clock - tonumber(ARGV[3])
local drafts = redis.call('ZRANGEBYSCORE', key.draft_tasks, '-inf', before, 'LIMIT', 0, ARGV[4])
local ended = redis.call('ZRANGEBYSCORE', key.unsettled_tasks, '-inf', before, 'LIMIT', 0, ARGV[4])
local reply = { 'ok', #drafts }
for _, id in ipairs(drafts) do reply[#reply + 1] = id end
for _, id in ipairs(ended) do reply[#reply + 1] = id end
return reply
