-- What must be known of a task whose message is to hear of its end, or which is to be paid for.
--
-- KEYS[1]  the cluster partition
-- Call     AskOutcome
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Outcome)
--          not_found

local row = redis.call('HMGET', key.task(task_id), 'status', 'session_id', 'message_id', 'spec',
  'error', 'result', 'content', 'superseded', 'charge', 'amount', 'runner')
if not row[1] then return { 'not_found' } end
-- Parts of a task that has ended lie apart where they are large.
local large = redis.call('HMGET', key.task_large(task_id), 'spec', 'error', 'result', 'content')
for i = 1, 4 do row[3 + i] = row[3 + i] or large[i] end
return { 'ok', row[1], row[2], row[3], row[4], row[5] or '', row[6] or '', row[7] or '',
  row[8] or 0, row[9] or '', row[10] or '', row[11] or '' }
