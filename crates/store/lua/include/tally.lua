-- All that was ever counted (include history): letters and counts in turn, of which one letter may have several.
local function all_counted()
  local counts = redis.call('HGETALL', key.stats)
  local lately = redis.call('HGETALL', key.history_new)
  for i = 1, #lately, 2 do
    local n = #counts
    counts[n + 1], counts[n + 2] = string.match(lately[i], '^%d+(.+)$'), lately[i + 1]
  end
  return table.concat(counts, ' ')
end
