-- Answers to idempotent requests are kept for 24 hours of logical time, so that a step of Redis' clock
-- forgets none of them: what moves money or queues work must not happen twice.
-- include: clock

-- Forgets some answers whose time is over.
local function sweep_records(most)
  local due = redis.call('ZRANGEBYSCORE', key.idempotency_due, '-inf', string.format('%.0f', clock),
    'LIMIT', 0, most)
  for _, digest in ipairs(due) do
    redis.call('DEL', key.idempotency(digest))
    redis.call('ZREM', key.idempotency_due, digest)
  end
end

-- Each new answer sweeps away two old ones, so that they cannot pile up where no monitor runs.
local function keep_record(record, answer)
  keep_clock()
  sweep_records(2)
  redis.call('SET', record, answer)
  redis.call('ZADD', key.idempotency_due, string.format('%.0f', clock + RECORDS_KEPT_MS), ARGV[1])
end
