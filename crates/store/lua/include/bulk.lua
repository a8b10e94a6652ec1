-- Changes of many tasks (contract.md §5). A job goes from the latest task down, so that what is done to one
-- moves no other.
-- include: event

-- The statuses of tasks that an action changes.
local CHANGES = {
  cancel = { pending = true, scheduled = true, waiting = true, running = true },
  set_priority = { pending = true, scheduled = true, waiting = true },
  retry = { failed = true, cancelled = true, timeout = true },
  remove = { completed = true, failed = true, cancelled = true, timeout = true },
}

-- A job that has not ended, or nil.
local function read_bulk(id)
  local row = redis.call('HMGET', key.bulk(id), 'status', 'action', 'priority', 'filter', 'most', 'cursor',
    'top', 'matched', 'done', 'failed', 'skipped', 'sample')
  if row[1] ~= 'counting' and row[1] ~= 'running' then
    redis.call('ZREM', key.bulks, id)
    return nil
  end
  return { id = id, status = row[1], action = row[2], priority = tonumber(row[3]),
    filter = cjson.decode(row[4]), most = tonumber(row[5]), cursor = row[6], top = row[7],
    matched = tonumber(row[8]), done = tonumber(row[9]), failed = tonumber(row[10]),
    skipped = tonumber(row[11]), sample = row[12] }
end

-- Ends a job: it is shown for a while.
local function end_bulk(id, status)
  local row = redis.call('HMGET', key.bulk(id), 'owner', 'action', 'done')
  redis.call('HSET', key.bulk(id), 'status', status, 'ended_at', now)
  redis.call('PEXPIRE', key.bulk(id), BULK_KEPT_MS)
  redis.call('ZREM', key.bulks, id)
  redis.call('HINCRBY', key.usage(row[1]), 'bulks', -1)
  if status ~= 'counted' then tell_bulk_ended(id, row[2], status, row[3]) end
end

-- The script that goes on with a job.
local function step_of(job)
  if job.status == 'counting' then return 'count' end
  return job.action == 'retry' and 'ended' or job.action == 'remove' and 'removed' or 'unfinished'
end

-- Keeps what a step has done; `ends` is how it has ended, if it has. The answer.
local function keep_bulk(job, ends)
  redis.call('HSET', key.bulk(job.id), 'status', job.status, 'cursor', job.cursor, 'matched', job.matched,
    'done', job.done, 'failed', job.failed, 'skipped', job.skipped, 'sample', job.sample)
  if ends then
    end_bulk(job.id, ends)
    return { 'ok', '', job.id }
  end
  redis.call('ZADD', key.bulks, clock, job.id)
  return { 'ok', step_of(job), job.id }
end
