-- Forgets a task that has ended.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id · 4 caller to check ('' none)
-- Returns  'ok' · 'not_found' · 'forbidden' · 'state', status ('unsettled': its message has yet to hear
--          of its end)
-- full: runs
-- include: now clock foreign rfc3339 event queue node claim

local task = read_task(ARGV[3])
if not task then return { 'not_found' } end
if is_foreign(task.owner, ARGV[4]) then return { 'forbidden' } end
if not is_ended(task.status) then return { 'state', task.status } end
if redis.call('ZSCORE', key.unsettled_tasks, task.id) then return { 'state', 'unsettled' } end
forget_task(task)
return { 'ok' }
