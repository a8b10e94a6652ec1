-- Puts dead letters back into the inbox, with all their tries, until it is full.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4 most that may wait
--          5… messages; none for the oldest
-- Returns  'ok', how many, depth
-- include: now clock expiring once inbox

local most = tonumber(ARGV[4])

local function run()
  local ids = { unpack(ARGV, 5) }
  if #ids == 0 then
    ids = redis.call('ZRANGE', key.dead(agent), 0, most - 1)
  end
  local count = 0
  for _, id in ipairs(ids) do
    local size = tonumber(redis.call('HGET', key.mail(agent), id .. ':bytes') or 0)
    local bytes = tonumber(redis.call('HGET', key.inbox(agent), 'bytes') or 0)
    if depth() >= most or bytes + size > INBOX_BYTES_MAX then break end
    local place = redis.call('ZSCORE', key.dead(agent), id)
    if place then
      dig_up(id)
      count_mail(id, 1)
      redis.call('HSET', key.mail(agent), id .. ':attempts', 0)
      redis.call('ZADD', key.waiting(agent), place, id)
      count = count + 1
    end
  end
  keep_inbox()
  return { 'ok', count, depth() }
end

return once(run)
