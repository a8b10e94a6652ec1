-- Takes the task of a session as a draft: it waits, unseen, until task/queue says that its message is there.
-- What becomes of it and of the session's unfinished tasks is decided here (contract.md §5).
--
-- KEYS[1]  the cluster partition
-- Call     TakeDraft
-- ARGV     once
--          session_id: SessionId  The session that shows it.
--          message_id: MessageId  The message that shows it.
--          manner: text         While tasks of its session are unfinished: `beside` them, `after` them, `refused`,
--                               or they end for it, `cancelling` or `superseding` them.
--          owner: text          Who submits it.
--          preferring_max: int  Most classes of the owner where preferences are honoured.
--          tasks_max: int?      Most unfinished tasks of the owner.
--          bytes_max: int?      Most bytes of them.
--          classes_max: int?    Most classes of the owner.
--          task: &'a [GivenTask<'a>]*  The task.
-- Returns  Drafted:
--          ok(waits: flag, interrupted: Vec<TaskId>)
--                               It waits for the end of others, or has ended these.
--          exists               The id is in use.
--          busy(TaskId)         This task of its session is unfinished.
--          crowded(int)         More of its session's tasks are unfinished than so many, which it could wait
--                               for or end.
--          too_many_classes     Too many different sets of skills wait.
--          exhausted(what: text)  A budget is used up: `scope/id`.
-- Emits    task_cancelled
-- include: records once take busy

-- Ends tasks of the session. A draft ends once its message is there (task/queue).
local function interrupt(others, reply)
  for _, id in ipairs(others) do
    if manner == 'superseding' then redis.call('HSET', key.task(id), 'superseded', 1) end
    local other = read_task(id)
    if other then
      cancel_task(other, 'interrupted')
      reply[#reply + 1] = id
    else
      redis.call('HSET', key.task(id), 'interrupted', 1)
    end
  end
end

local function run()
  local of = { owner = owner, preferring_max = preferring_max, tasks_max = tasks_max,
    bytes_max = bytes_max, classes_max = classes_max }
  local given = read_given(task, '')
  given.session_id, given.message_id = session_id, message_id
  if redis.call('EXISTS', key.task(given.task_id)) == 1 then return { 'exists' } end
  local others, busy = others_in(session_id, manner)
  if busy then return busy end
  local refused, usage = refusal(of, 1, #given.spec + #given.wants)
  refused = refused or exhausted(of, given, usage)
  if refused then return refused end
  local chosen, crowded = choose_class(of, given, tonumber(usage[1] or 0))
  if not chosen then return crowded end
  if classes_max ~= '' and usage[4] ~= classes_max then
    redis.call('HSET', key.usage(owner), 'classes_max', classes_max)
  end
  local draft = write_task(of, given, 'draft', chosen)
  redis.call('ZADD', key.draft_tasks, clock, draft.id)
  redis.call('ZADD', key.unfinished_in_session(session_id), draft.seq, draft.id)
  local reply = { 'ok', 0 }
  if manner == 'after' and others[1] then
    line_up(draft.id, others)
    reply[2] = 1
  else
    interrupt(others, reply)
  end
  keep_clock()
  return reply
end

-- That there was no room is not kept: a repeat may find some.
local NO_ROOM = { too_many_classes = true, busy = true, crowded = true, exhausted = true }
return once(run, function(reply) return not NO_ROOM[reply[1]] end)
