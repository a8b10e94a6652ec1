-- What is due in the queue, some at a time: leases that ran out, delayed tasks whose time has come,
-- waits whose time is over, limits that open, and, one page a call, running tasks that have no lease (which only a fault or a hand in the data
-- can bring about).
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(Due)
-- Emits    task_pending · task_timeout · class_open
-- full: runs
-- include: records claim limit fair

local function lose_due()
  local due = redis.call('ZRANGEBYSCORE', key.task_leases, '-inf', clock, 'WITHSCORES',
    'LIMIT', 0, CHANGE_BATCH)
  for i = 1, #due, 2 do
    local task = read_task(due[i])
    if task and task.status == 'running' then
      lose_claim(task, tonumber(due[i + 1]) >= task.deadline and 'timeout' or 'lease')
    else
      redis.call('ZREM', key.task_leases, due[i])
    end
  end
  return #due / 2
end

local function reconcile()
  local running = key.tasks_by_status('running')
  local after = redis.call('HGET', key.cluster, 'reconciled') or '-inf'
  local page = redis.call('ZRANGEBYSCORE', running, '(' .. after, '+inf', 'WITHSCORES',
    'LIMIT', 0, TASK_BATCH)
  local lost = 0
  for i = 1, #page, 2 do
    if not redis.call('ZSCORE', key.task_leases, page[i]) then
      local task = read_task(page[i])
      if task and task.status == 'running' then
        lose_claim(task, 'lease')
      else
        redis.call('ZREM', running, page[i])
      end
      lost = lost + 1
    end
  end
  redis.call('HSET', key.cluster, 'reconciled', #page == 2 * TASK_BATCH and page[#page] or '-inf')
  return lost
end

local leases = lose_due()
local delayed, waits = promote_due(CHANGE_BATCH), expire_waits(CHANGE_BATCH)
local opened = open_due(CHANGE_BATCH)
local without = reconcile()
sweep_records(TASK_BATCH)
tend_fairness()
keep_clock()
local is_more = leases == CHANGE_BATCH or delayed == CHANGE_BATCH or waits == CHANGE_BATCH
  or opened == CHANGE_BATCH
return { 'ok', is_more and 1 or 0, leases, delayed + waits, without }
