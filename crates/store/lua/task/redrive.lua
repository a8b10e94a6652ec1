-- Puts dead letters back into the queue: those that are named, or those that a filter lets through,
-- some at a time.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 owner ('' for all) · 4 1 to only say which else 0 · 5 status ('')
--          6 user ('') · 7 number to go on below ('' from the top) · 8 most · 9… task ids ('' by the
--          filter)
-- Returns  'ok', number to go on below ('' at the end), task ids…
-- Emits    task_pending
-- include: now clock foreign rfc3339 records once event queue node claim revive

local function try(id, reply)
  local task = redis.call('ZSCORE', key.dead_tasks, id) and read_task(id)
  if not task or is_foreign(task.owner, ARGV[3]) or revival_refusal(task) then return end
  if ARGV[5] ~= '' and task.status ~= ARGV[5] then return end
  if ARGV[6] ~= '' and task.user ~= ARGV[6] then return end
  if ARGV[4] == '0' then revive(task, 'redriven') end
  reply[#reply + 1] = id
end

local function run()
  local reply = { 'ok', '' }
  if #ARGV >= 9 then
    for i = 9, #ARGV do try(ARGV[i], reply) end
  else
    local below = ARGV[7] == '' and '+inf' or '(' .. ARGV[7]
    local entries = redis.call('ZREVRANGEBYSCORE', key.dead_tasks, below, '-inf', 'WITHSCORES',
      'LIMIT', 0, ARGV[8])
    for i = 1, #entries, 2 do try(entries[i], reply) end
    if #entries == 2 * tonumber(ARGV[8]) then reply[2] = entries[#entries] end
  end
  keep_clock()
  return reply
end

return once(run)
