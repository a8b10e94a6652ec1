-- Cancels the tasks of a group that have not ended, or tries those again that did not complete, in the
-- order in which they were submitted, some at a time.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          group_id: GroupId    Which.
--          writer: Writer<'a>   Who asks.
--          retries: flag        Try again; else cancel.
--          after: int           [`Changed::next`] of the step before; 0 for the first.
-- Returns  Written<>:
--          ok(Changed)
-- Emits    task_cancelled · task_pending · task_waiting
-- include: records once cancel revive group audit

local function change(task)
  if not task then return false end
  if retries == '1' then
    if not is_ended(task.status) or revival_refusal(task) then return false end
    revive(task, 'retried')
    return true
  end
  if is_ended(task.status) then return false end
  cancel_task(task)
  return true
end

local function run()
  local owner, open, total, completed =
    unpack(redis.call('HMGET', key.group(group_id), 'owner', 'open', 'total', 'completed'))
  if not owner then return { 'not_found' } end
  if is_foreign(owner, writer) then return { 'forbidden' } end
  if retries == '0' then seal_group(group_id) end
  local page = redis.call('ZRANGEBYSCORE', key.group_tasks(group_id), '(' .. after, '+inf',
    'WITHSCORES', 'LIMIT', 0, CHANGE_BATCH)
  local changed = 0
  for i = 1, #page, 2 do
    if change(read_task(page[i])) then changed = changed + 1 end
  end
  -- The first step tells of all, if there is something to be done.
  local left = retries == '1' and total - open - (completed or 0) or tonumber(open)
  if tonumber(after) == 0 and left > 0 then
    audit(retries == '1' and 'group.retry' or 'group.cancel', group_id, nil, facts('tasks', left))
  end
  keep_clock()
  return { 'ok', changed, redis.call('EXISTS', key.releasing), #page == 2 * CHANGE_BATCH and page[#page] or '' }
end

return once(run)
