-- Lists online nodes with free capacity, least loaded first.
--
-- KEYS[1]  the cluster partition
-- Call     ListAvailable
-- ARGV     limit: int           Most nodes.
--          after_load: int?     [`AvailablePosition`] of the page before.
--          after_id: text?      The same.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(AvailablePage)
-- include: node budget

limit = tonumber(limit)
begin_step(filled)

-- Whether one text comes after another in the order of bytes, as in a sorted set. Lua's own
-- comparison follows the locale that Redis was started under.
local function is_after(a, b)
  for i = 1, #a do
    local x, y = string.byte(a, i), string.byte(b, i) or -1
    if x ~= y then return x > y end
  end
  return false
end

-- The rank from which a page goes on after (load, id), also when that node has moved or gone:
-- among entries of one load members are in the order of their bytes.
local function rank_after(load, id)
  local low = redis.call('ZCOUNT', key.available, '-inf', '(' .. load)
  local high = redis.call('ZCOUNT', key.available, '-inf', load)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_after(redis.call('ZRANGE', key.available, middle, middle)[1], id) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local start = after_id == '' and 0 or rank_after(after_load, after_id)
local entries = redis.call('ZRANGE', key.available, start, start + limit, 'WITHSCORES')
local reply = { 'ok', '', '', 0 }
for i = 1, #entries, 2 do
  if i > 2 * limit or is_step_full() or add(reply, append_node, entries[i]) == false then
    -- Where not even the first has room, the next page begins where this one did.
    reply[2], reply[3] = entries[i - 1] or after_load, entries[i - 2] or after_id
    break
  end
end
reply[4] = spent
return reply
