-- Lists, newest first, what is in all of some indexes: sorted sets of the same things by the same
-- number. Walks the smallest and looks the others up by member. A page ends early when it has
-- looked at too many or has become too large. `append` adds one to the reply and says how many
-- bytes that were; `page` is limit, number to go on below, most to look at, most bytes.
local function walk(indexes, page, reply, append)
  local sizes = {}
  for _, index in ipairs(indexes) do sizes[index] = redis.call('ZCARD', index) end
  table.sort(indexes, function(a, b) return sizes[a] < sizes[b] end)
  local walked = table.remove(indexes, 1)
  local function is_in_others(id)
    for _, index in ipairs(indexes) do
      if not redis.call('ZSCORE', index, id) then return false end
    end
    return true
  end
  local limit, scan_max, bytes_max = tonumber(page[1]), tonumber(page[3]), tonumber(page[4])
  local listed, scanned, bytes, last = 0, 0, 0, nil
  local below = page[2] == '' and '+inf' or '(' .. page[2]
  local batch = #indexes == 0 and limit + 1 or 200
  while true do
    local found = redis.call('ZREVRANGEBYSCORE', walked, below, '-inf', 'WITHSCORES',
      'LIMIT', 0, batch)
    for i = 1, #found, 2 do
      if listed == limit or scanned == scan_max or bytes > bytes_max then
        reply[2] = last
        return reply
      end
      scanned, last = scanned + 1, found[i + 1]
      if is_in_others(found[i]) then
        listed, bytes = listed + 1, bytes + append(reply, found[i])
      end
    end
    if #found < 2 * batch then return reply end
    below = '(' .. last
  end
end
