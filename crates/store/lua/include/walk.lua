-- include: budget

-- Lists what is in a sorted set, from the highest number down, or with `page.ascending` from the
-- lowest up. A page ends early when it has looked at too many or has no room for more. `is_wanted`
-- leaves some out; `append` adds one to the reply (include budget). `page` is limit, number to go on
-- behind ('' to begin), most to look at; `page.floor` is where a list from the highest down ends, and
-- `page.is_over` says that it has looked long enough. Where to go on behind becomes the second of the reply.
-- With `page.filled` this is a step of a longer page, which has so many bytes already; how many it has then
-- becomes the third, as many as there is room for if the page ends here. Returns the reply, and how many it has looked at.
local function walk_one(index, is_wanted, page, reply, append)
  local limit, scan_max = tonumber(page[1]), tonumber(page[3])
  local command, from, to = 'ZREVRANGEBYSCORE', '+inf', page.floor or '-inf'
  if page.ascending then command, from, to = 'ZRANGEBYSCORE', '-inf', '+inf' end
  if page[2] ~= '' then from = '(' .. page[2] end
  if page.filled then begin_step(page.filled) end
  local batch = is_wanted and 200 or limit + 1
  local listed, scanned, last = 0, 0, page[2]
  local function ended(at)
    reply[2] = at
    if page.filled then reply[3] = spent end
    return reply, scanned
  end
  while true do
    local found = redis.call(command, index, from, to, 'WITHSCORES', 'LIMIT', 0, batch)
    for i = 1, #found, 2 do
      local is_full = listed == limit or is_step_full()
      if not is_full and (scanned == scan_max or (page.is_over and page.is_over())) then
        is_full = true
        end_page()
      end
      if not is_full and (not is_wanted or is_wanted(found[i])) then
        local added = add(reply, append, found[i])
        if added then listed = listed + 1 end
        is_full = added == false
      end
      if is_full then return ended(last) end
      scanned, last = scanned + 1, found[i + 1]
    end
    if #found < 2 * batch then return ended('') end
    from = '(' .. last
  end
end

-- Lists, newest first, what is in all of some indexes: sorted sets of the same things by the same
-- number. Walks the smallest and looks the others up by member, and lets `page.is_wanted` leave some out.
local function walk(indexes, page, reply, append)
  if #indexes == 1 then return walk_one(indexes[1], page.is_wanted, page, reply, append) end
  local sizes = {}
  for _, index in ipairs(indexes) do sizes[index] = redis.call('ZCARD', index) end
  table.sort(indexes, function(a, b) return sizes[a] < sizes[b] end)
  local walked = table.remove(indexes, 1)
  local function is_in_others(id)
    for _, index in ipairs(indexes) do
      if not redis.call('ZSCORE', index, id) then return false end
    end
    return not page.is_wanted or page.is_wanted(id)
  end
  return walk_one(walked, is_in_others, page, reply, append)
end
