-- What a task that follows others begins with.
-- include: ending

-- What a task that follows others gets with its claim: how each ended and with which result, as long as
-- the results are not too large together. JSON.
local function inputs_of(task)
  local row, parts, bytes = redis.call('HGETALL', key.task_after(task.id)), {}, 0
  for i = 1, #row, 2 do
    local group = string.match(row[i], '^group:(.*)')
    local status = string.match(row[i + 1], '/(%a+)$') or 'unknown'
    local result = not group and status == 'completed' and part_of_task(row[i], 'result')
    local part = '{"' .. (group and 'group_id' or 'task_id') .. '":"' .. (group or row[i])
      .. '","status":"' .. status .. '"'
    if result and bytes + #result <= INPUTS_BYTES_MAX then
      bytes, part = bytes + #result, part .. ',"result":' .. result
    elseif result then
      part = part .. ',"ref":"/api/v1/tasks/' .. row[i] .. '"'
    end
    parts[#parts + 1] = part .. '}'
  end
  return '[' .. table.concat(parts, ',') .. ']'
end
