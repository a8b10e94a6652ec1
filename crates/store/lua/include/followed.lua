-- A task with what it follows.
-- include: claim

-- Appends a task to a reply, as `append_task` does, and behind it a line for each thing that it follows:
-- what, how that is to end, how it has.
local function append_following(reply, id)
  local bytes = append_task(reply, id)
  if not bytes then return false end
  local row, lines = redis.call('HGETALL', key.task_after(id)), {}
  for i = 1, #row, 2 do
    local on, status = string.match(row[i + 1], '^=?(%a+)/?(%a*)$')
    lines[#lines + 1] = row[i] .. ' ' .. on .. ' ' .. status
  end
  local after = table.concat(lines, '\n')
  reply[#reply + 1] = after
  return bytes + #after + 40 * #lines
end
