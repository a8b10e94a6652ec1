-- Puts a message into an inbox. A full one refuses it, and nothing is dropped.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4 message · 5 its members (JSON without braces, without the
--          timestamp) · 6 priority · 7 most that may wait · 8 1 to push it to the old list, too
--          9 who sends it ('' where there is no share for each sender) · 10 1 to send nothing, and only
--          say what was answered before
-- Returns  'ok', message, depth · 'full', depth · 'share', depth, messages of the sender · 'new'
-- include: now clock rfc3339 expiring once inbox

local id, sender = ARGV[4], ARGV[9]

-- Whether a message would take more than the sender's share: half of the room that others leave, in
-- messages and in bytes, so that nobody fills an inbox for all.
local function exceeds_share(waiting, bytes, size)
  local mine = redis.call('HMGET', key.senders(agent), sender, sender .. ':bytes')
  local messages, used = tonumber(mine[1] or 0), tonumber(mine[2] or 0)
  if messages + 1 > (tonumber(ARGV[7]) - waiting + messages) / 2
    or used + size > (INBOX_BYTES_MAX - bytes + used) / 2 then
    return { 'share', waiting, messages }
  end
end

local function run()
  if ARGV[10] == '1' then return { 'new' } end
  local waiting, bytes = depth(), tonumber(redis.call('HGET', key.inbox(agent), 'bytes') or 0)
  local mail = ARGV[5] .. ',"timestamp":"' .. rfc3339_ms(now) .. '"'
  if waiting >= tonumber(ARGV[7]) or bytes + #mail > INBOX_BYTES_MAX then
    return { 'full', waiting }
  end
  local refused = sender ~= '' and exceeds_share(waiting, bytes, #mail)
  if refused then return refused end
  put(id, mail, ARGV[6], sender)
  if ARGV[8] == '1' then
    redis.call('LPUSH', key.old_inbox(agent), '{"msg_id":"' .. id .. '",' .. mail .. '}')
  end
  keep_inbox()
  return { 'ok', id, depth() }
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] == 'ok' end)
