-- Sends a signal to a task: one that waits for it comes back into the queue; otherwise it is kept until
-- the task asks for it.
--
-- KEYS[1]  the cluster partition
-- Call     SendSignal
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who sends it.
--          name: text           What it is called.
--          payload: Option<&'a Json>
--                               What it brings.
--          bytes_max: int?      Most bytes of the owner's unfinished tasks.
-- Returns  Written<Signalled>:
--          ok(queued: int)      How many the task has not taken.
--          signals_full         It has not taken so many already.
-- Emits    task_pending
-- include: records once quota claim

local function run()
  local task = read_task(task_id)
  if not task then return { 'not_found' } end
  if is_foreign(task.owner, writer) then return { 'forbidden' } end
  if is_ended(task.status) then return { 'ended', task.status } end
  local wait = task.status == 'waiting' and task.wait and read_wait(task.wait)
  local list = key.task_signals(task_id)
  keep_clock()
  if wait and wait.kind == 'signal' and wait.name == name then
    close_wait(wait, 'answered')
    wake(task, resume_of_signal(wait.id, name, payload), 'signal')
    return { 'ok', redis.call('LLEN', list) }
  end
  local packed = cmsgpack.pack({ name, payload, now })
  if task.counted then
    local has = tonumber(redis.call('HGET', key.usage(task.owner), 'task_bytes')) or 0
    local refused = over_quota('quota_task_bytes', bytes_max, has, #packed)
    if refused then return refused end
  end
  if redis.call('LLEN', list) >= SIGNALS_MAX then return { 'signals_full' } end
  recount(task, #packed)
  redis.call('HSET', key.task(task_id), 'waits', task.waits or 0)
  return { 'ok', redis.call('RPUSH', list, packed) }
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'signals_full' end)
