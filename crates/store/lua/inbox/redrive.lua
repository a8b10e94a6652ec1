-- Puts dead letters back into the inbox, with all their tries, until it is full.
--
-- KEYS[1]  the inbox partition
-- ARGV     once
--          agent: text          Whose inbox.
--          message_ids: MailId*  Which; none for the oldest.
-- Returns  ok(Redriven)
-- include: expiring once inbox

local function run()
  if #message_ids == 0 then
    message_ids = redis.call('ZRANGE', key.dead(inbox), 0, INBOX_MAX - 1)
  end
  local count = 0
  for _, id in ipairs(message_ids) do
    local size = tonumber(redis.call('HGET', key.mail(inbox), id .. ':bytes') or 0)
    local bytes = tonumber(redis.call('HGET', key.inbox(inbox), 'bytes') or 0)
    if depth() >= INBOX_MAX or bytes + size > INBOX_BYTES_MAX then break end
    local place = redis.call('ZSCORE', key.dead(inbox), id)
    if place then
      dig_up(id)
      count_mail(id, 1)
      redis.call('HSET', key.mail(inbox), id .. ':attempts', 0)
      redis.call('ZADD', key.waiting(inbox), place, id)
      count = count + 1
    end
  end
  keep_inbox()
  return { 'ok', count, depth() }
end

return once(run)
