-- Says whether a claim may write to its task's log now: only the one that holds the task may. Counts for the
-- task's owner what is to be written, and lets it run off within the time that logs are kept. Of one task no
-- more is counted than its log holds: what comes on top of that takes the place of older lines.
--
-- KEYS[1]  the cluster partition
-- ARGV     task_id: TaskId      Of which task.
--          writer: Writer<'a>   Who asks.
--          token: Token         The claim's token.
--          bytes: int           How much it is.
--          most: int            Most bytes of the logs of one owner's tasks (quota_log_bytes).
-- Returns  Written<>:
--          ok(LogRight)
-- include: claim quota

local task = read_task(task_id)
local refused = claim_refusal(task, token, writer)
keep_clock()
if refused then return { refused } end
local more = math.min(tonumber(bytes), LOG_BYTES_MAX - (task.logged or 0))
if more > 0 then
  if string.sub(task.owner, 1, 1) ~= '@' then
    local usage = key.usage(task.owner)
    local row = redis.call('HMGET', usage, 'log_bytes', 'logged_at')
    local run_off = most * (clock - (tonumber(row[2]) or clock)) / LOG_KEPT_MS
    local has = math.max(math.ceil((tonumber(row[1]) or 0) - run_off), 0)
    local over = over_quota('quota_log_bytes', most, has, more)
    if over then return over end
    redis.call('HSET', usage, 'log_bytes', has + more, 'logged_at', clock)
  end
  redis.call('HINCRBY', key.task(task.id), 'logged', more)
end
return { 'ok', task.seq, string.match(token, '^%d+') or 0, task.retries + 1 }
