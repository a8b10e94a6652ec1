-- Notes that all which follows from an accepted proposal is done. What it said is not needed any
-- more.
--
-- KEYS[1]  the inbox partition
-- ARGV     agent: text          Whose inbox.
--          message_id: MailId   Which message.
--          tasks: int           How many tasks there are.
--          is_answered: flag    The proposer was answered.
-- Returns  ok

local record = key.proposal(agent, message_id)
if redis.call('EXISTS', record) == 1 then
  redis.call('HSET', record, 'state', 'settled', 'tasks', tasks, 'answered', is_answered)
  redis.call('HDEL', record, 'mail', 'old')
end
return { 'ok' }
