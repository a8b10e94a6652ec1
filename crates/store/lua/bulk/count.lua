-- Counts what a change of many tasks would change, some at a time. Once that is known it begins, unless it
-- is more than it may change.
--
-- KEYS[1]  the cluster partition
-- Call     CountBulk
-- ARGV     bulk_id: BulkId?     Which; none: the one that has waited longest.
-- Returns  ok(Next)
-- Emits    bulk_ended
-- full: runs
-- include: records bulk find

local id = bulk_id ~= '' and bulk_id or redis.call('ZRANGE', key.bulks, 0, 0)[1]
local job = id and read_bulk(id)
if not job then return { 'ok', '', id or '' } end
if job.status ~= 'counting' then return { 'ok', step_of(job), id } end

local function count(_, task_id)
  if not CHANGES[job.action][redis.call('HGET', key.task(task_id), 'status')] then return nil end
  if job.matched < BULK_SAMPLE then job.sample = job.sample .. ' ' .. task_id end
  job.matched = job.matched + 1
  return 0
end

local reply = find(job.filter, { BULK_COUNT_STEP, job.cursor, BULK_COUNT_STEP }, { 'ok', '' }, count)
job.cursor = reply[2]
local ends
if job.cursor == '' then
  if not job.most then
    ends = 'counted'
  elseif job.matched > job.most then
    ends = 'refused'
  else
    job.status, job.cursor, ends = 'running', job.top, job.matched == 0 and 'completed'
  end
end
reply = keep_bulk(job, ends)
keep_clock()
return reply
