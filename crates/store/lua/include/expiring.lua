-- Answers to idempotent requests are kept for 24 hours; for 25 more in case Redis' clock is set forward
-- by a day. (Sessions, messages and inboxes have no logical clock that somebody looks at.)
local RECORDS_TTL_MS = 176400000

local function keep_record(record, answer)
  redis.call('SET', record, answer, 'PX', RECORDS_TTL_MS)
end
