-- Answers to idempotent requests are kept for 24 hours; for 25 more in case Redis' clock is set forward
-- by a day. (Sessions, messages and inboxes have no logical clock that somebody looks at.)

local function keep_record(record, answer)
  redis.call('SET', record, answer, 'PX', EXPIRING_RECORDS_MS)
end
