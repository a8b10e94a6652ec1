-- A step of a change of many tasks.
-- include: bulk find queue

-- Changes some of the tasks of a job, each by `change`, which says false where that cannot be done.
local function step_bulk(id, is_own, change)
  local job = read_bulk(id)
  if not job then return { 'ok', '', id } end
  if not is_own[step_of(job)] then return { 'ok', step_of(job), id } end
  local function visit(_, task_id)
    local task = read_task(task_id)
    if not task then return nil end
    if not CHANGES[job.action][task.status] then
      job.skipped = job.skipped + 1
      return nil
    end
    local counter = change(job, task) and 'done' or 'failed'
    job[counter] = job[counter] + 1
    return 0
  end
  local left = math.min(job.most - job.done - job.failed, CHANGE_BATCH)
  local reply = find(job.filter, { left, job.cursor, BULK_COUNT_STEP }, { 'ok', '' }, visit)
  job.cursor = reply[2]
  local is_over = job.cursor == '' or job.done + job.failed >= job.most
  reply = keep_bulk(job, is_over and 'completed' or nil)
  keep_clock()
  return reply
end
