-- Reads lines of a task's log, oldest first: those after a place, or the last ones.
--
-- KEYS[1]  the tasklog partition
-- ARGV     task_id: TaskId      Of which task.
--          version: text        Which task of this id it is.
--          after: text          Behind which line; `0` is the beginning.
--          limit: int           Most lines.
--          is_tail: flag        The last ones, wherever they begin.
-- Returns  ok(LogPage)

limit = tonumber(limit)
local log, is_after = key.tasklog(task_id), is_tail ~= '1'
local row = redis.call('HMGET', key.tasklog_state(task_id), 'version', 'trimmed', 'last')
-- The log of a task of the same id that is gone is nobody's.
if row[1] ~= version then return { 'ok', '', '0-0', 0 } end
local reply = { 'ok', row[2], row[3], 0 }

local function take(entry)
  local n, fields = #reply, entry[2]
  reply[n + 1] = entry[1]
  for i = 1, 5 do reply[n + 1 + i] = fields[2 * i] end
end

if is_after then
  local from = after == '0' and '-' or '(' .. after
  local entries = redis.call('XRANGE', log, from, '+', 'COUNT', limit + 1)
  for i = 1, math.min(#entries, limit) do take(entries[i]) end
  if #entries > limit then reply[4] = 1 end
else
  local entries = redis.call('XREVRANGE', log, '+', '-', 'COUNT', limit)
  for i = #entries, 1, -1 do take(entries[i]) end
end
return reply
