-- include: history

-- All that was ever counted: letters and counts in turn, of which one letter may have several.
local function all_counted()
  local parts = { table.concat(redis.call('HGETALL', key.stats), ' ') }
  local lately = redis.call('HGETALL', key.history_new)
  for i = 1, #lately, 2 do
    parts[#parts + 1] = table.concat(counts_of(string.match(lately[i], '^%d+(.+)$'), lately[i + 1]), ' ')
  end
  return table.concat(parts, ' ')
end
