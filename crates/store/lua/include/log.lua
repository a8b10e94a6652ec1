-- A message's log, whose entries are numbered without a hole. What a page costs follows from the page,
-- however long the log is and however large its entries are.
-- include: message

-- The number of an entry: it is in the event's id.
local function sequence_of(entry)
  return tonumber(string.match(entry[2][4], '^%d+', #mid + 19))
end

-- An id at or before the entry of a number that the log holds, and the number of the entry that is
-- read first from there: the ids are times, so that it is halved between the first and the last.
local function place_of(stream, sequence)
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local low, at = tonumber(string.match(first[1], '^%d+')), sequence_of(first)
  local high = tonumber(string.match(last[1], '^%d+')) + 1
  while at < sequence and high - low > 1 do
    local middle = math.floor((low + high) / 2)
    local id = string.format('%.0f', middle)
    local entry = redis.call('XRANGE', stream, id, '+', 'COUNT', 1)[1]
    local number = sequence_of(entry)
    if number <= sequence then
      low, at = tonumber(string.match(entry[1], '^%d+')), number
    else
      high = middle
    end
  end
  return string.format('%.0f', low), at
end

-- Reads entries on from an id, passing over some: as many as are asked for, and at least one, but no
-- more once they have become large.
local function read_log(stream, from, passed_over, limit, take)
  local taken, bytes, largest = 0, 0, 4096
  while taken < limit and bytes < REPLY_BYTES do
    local count = math.floor((REPLY_BYTES - bytes) / largest) + 1
    count = math.min(count, limit - taken + passed_over, 256)
    local page = redis.call('XRANGE', stream, from, '+', 'COUNT', count)
    for _, entry in ipairs(page) do
      if passed_over > 0 then
        passed_over = passed_over - 1
      else
        take(entry)
        taken, bytes = taken + 1, bytes + #entry[2][4]
        largest = math.max(largest, #entry[2][4])
        if taken == limit or bytes >= REPLY_BYTES then return taken end
      end
      from = '(' .. entry[1]
    end
    if #page < count then return taken end
  end
  return taken
end

-- Reads the entries after a number that the log reaches back to.
local function read_after(stream, sequence, limit, take)
  local from, at = place_of(stream, sequence + 1)
  return read_log(stream, from, sequence + 1 - at, limit, take)
end
