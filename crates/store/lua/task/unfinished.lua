-- Names tasks that a crash may have left half done: drafts whose message was to be made, or whose money was
-- to be reserved, and ended ones that their message has not heard of, or that are not paid for. What is
-- younger is still being worked on.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(UnfinishedTasks)
-- include: clock

local before = clock - UNFINISHED_AFTER_MS
local drafts = redis.call('ZRANGEBYSCORE', key.draft_tasks, '-inf', before, 'LIMIT', 0, TASK_BATCH)
local ended = redis.call('ZRANGEBYSCORE', key.unsettled_tasks, '-inf', before, 'LIMIT', 0, TASK_BATCH)
local reply = { 'ok', #drafts }
for _, id in ipairs(drafts) do reply[#reply + 1] = id end
for _, id in ipairs(ended) do reply[#reply + 1] = id end
return reply
