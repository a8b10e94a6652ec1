-- include: message apart

-- A block for which there is no room: where it can be read.
local function without_members(block, cid)
  local head = string.match(block,
    '^{"content_id":"[^"]+","content_type":"%a+","is_placeholder":%a+') or '{"content_id":"' .. cid
    .. '"'
  return head .. ',"ref":"/api/v1/messages/' .. mid .. '/content/' .. cid .. '"}'
end

-- Appends a message to a reply: id, session, role, text (include `apart`), is_complete (0 or 1), parent (''),
-- metadata, sequence, created, updated; then the number of blocks and the blocks (JSON); then the number of
-- running tasks and for each task, type, progress, parameters (JSON). Returns about how many bytes
-- that is. Of the blocks and parameters together, so much is shown that the whole stays an answer.
local function append_message(reply)
  local row = redis.call('HMGET', key.message(mid), 'session_id', 'role', 'is_complete', 'parent', 'metadata',
    'sequence', 'created_at', 'updated_at')
  local is_complete, n = row[3] == '1', #reply
  reply[n + 1], reply[n + 2], reply[n + 3] = mid, row[1], row[2]
  local bytes = #row[5]
  if is_complete or redis.call('EXISTS', key.text(mid)) == 0 then
    bytes = bytes + append_value(reply, key.message(mid), 'text')
  else
    bytes = bytes + append_value(reply, key.text(mid))
  end
  for i = 3, 8 do reply[#reply + 1] = row[i] end

  -- How much of the blocks and of the tasks' parameters is shown, in bytes.
  local room = 4194304
  local order = redis.call('LRANGE', key.order(mid), 0, -1)
  reply[#reply + 1] = #order
  local blocks = #order > 0 and redis.call('HMGET', key.blocks(mid), unpack(order)) or order
  for i, cid in ipairs(order) do
    local shown = blocks[i]
    if #shown > room then shown = without_members(shown, cid) else room = room - #shown end
    bytes = bytes + #shown
    reply[#reply + 1] = shown
  end

  local count_at = #reply + 1
  reply[count_at] = 0
  if is_complete then return bytes end
  local tasks, fields = {}, redis.call('HGETALL', key.tasks(mid))
  for i = 1, #fields, 2 do tasks[fields[i]] = fields[i + 1] end
  for i = 1, #order do
    -- Each running task has its placeholder among the blocks, which gives them an order.
    -- A result may speak of a task as well, so only a placeholder's own members count.
    local task = string.match(blocks[i],
      '^{"content_id":"[^"]+","content_type":"%a+","is_placeholder":true,"task_id":"([^"]+)"')
    if task and tasks[task .. ':status'] == 'processing' then
      local parameters = tasks[task .. ':parameters']
      if #parameters > room then parameters = '{}' else room = room - #parameters end
      bytes = bytes + #parameters
      reply[count_at] = reply[count_at] + 1
      reply[#reply + 1] = task
      reply[#reply + 1] = tasks[task .. ':type']
      reply[#reply + 1] = tasks[task .. ':progress']
      reply[#reply + 1] = parameters
    end
  end
  return bytes
end
