-- include: clock

-- After how long a node is silent, in ms: the longest of the timeouts of those who are at work. Hosts
-- note theirs (cluster/join), periodic checkers theirs (heartbeat/check). So no node that keeps the
-- pace of one is silent to another. Further fields of the cluster's row are read on the way.
local function longest_timeout(own_ms, ...)
  local row = redis.call('HMGET', key.cluster, 'timeout_ms', 'timeout_until', 'checked_timeout_ms',
    'checked_until', ...)
  for i = 1, 3, 2 do
    if row[i + 1] and tonumber(row[i + 1]) > clock then own_ms = math.max(own_ms, tonumber(row[i])) end
  end
  return own_ms, row[5], row[6]
end
