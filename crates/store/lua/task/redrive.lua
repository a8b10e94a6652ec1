-- Puts dead letters back into the queue: those that are named, or those that a filter lets through,
-- some at a time.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          writer: Writer<'a>   Who asks.
--          dry_run: flag        Only say which.
--          status: text         `failed` or `timeout`; empty: both.
--          user_id: text        Whose; empty: everybody's.
--          error_key: text      Those that failed alike; empty: all.
--          below: text          Where the step before ended; empty: from the latest.
--          task_ids: TaskId*     These; none: all that the filters let through.
-- Returns  ok(Redriven)
-- Emits    task_pending
-- include: records once claim revive audit

local function try(id, reply)
  local task = redis.call('ZSCORE', key.dead_tasks, id) and read_task(id)
  if not task or is_foreign(task.owner, writer) or revival_refusal(task) then return end
  if status ~= '' and task.status ~= status then return end
  if user_id ~= '' and task.user ~= user_id then return end
  if dry_run == '0' then revive(task, 'redriven') end
  reply[#reply + 1] = id
end

local function run()
  local reply = { 'ok', '' }
  if task_ids[1] then
    for _, id in ipairs(task_ids) do try(id, reply) end
  else
    local from = below == '' and '+inf' or '(' .. below
    local index = error_key == '' and key.dead_tasks or key.dead_by_error(error_key)
    local entries = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES',
      'LIMIT', 0, CHANGE_BATCH)
    for i = 1, #entries, 2 do try(entries[i], reply) end
    if #entries == 2 * CHANGE_BATCH then reply[2] = entries[#entries] end
  end
  if dry_run == '0' and reply[3] then
    audit('task.redrive', 'tasks', nil, facts('count', #reply - 2, 'tasks', ids(reply, 3)))
  end
  keep_clock()
  return reply
end

return once(run)
