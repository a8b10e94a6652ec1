-- Reads a schedule and its last runs.
--
-- KEYS[1]  the cluster partition
-- Call     Get
-- ARGV     schedule_id: ScheduleId  Which.
-- Returns  ok(Box<Standing>)
--          not_found
-- include: schedule

local reply = { 'ok' }
if not append_schedule(reply, schedule_id) then return { 'not_found' } end
local runs = redis.call('LRANGE', key.schedule_runs(schedule_id), 0, SCHEDULE_RUNS_SHOWN - 1)
for _, run in ipairs(runs) do
  local id = string.match(run, '\nstarted\n(.*)$')
  local n = #reply
  reply[n + 1] = run
  reply[n + 2] = id and redis.call('HGET', key.task(id), 'status') or ''
end
return reply
