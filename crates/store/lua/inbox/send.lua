-- Puts a message into an inbox. A full one refuses it, and nothing is dropped.
--
-- KEYS[1]  the inbox partition
-- ARGV     once
--          agent: text          Whose inbox.
--          message_id: MailId   The message's id.
--          members: text        What it says: JSON without braces, without the timestamp ([`Letter`]).
--          priority: text       How soon it is received.
--          for_old_clients: flag
--                               Push it onto the list that old clients read, too.
--          sender: text?        Who sends it, where each sender has a share of the inbox.
--          only_repeats: flag   Send nothing, and only say what was answered before.
-- Returns  Sent:
--          ok(message_id: MailId, depth: int)
--                               It waits, as one of so many.
--          full(depth: int)     As many wait as may.
--          share(depth: int, own: int)
--                               The sender has as much there as one may: so many messages wait, and so
--                               many of these are its own.
--          new                  Nothing was answered before.
-- include: rfc3339 expiring once inbox

-- Whether a message would take more than the sender's share: half of the room that others leave, in
-- messages and in bytes, so that nobody fills an inbox for all.
local function exceeds_share(waiting, bytes, size)
  local mine = redis.call('HMGET', key.senders(inbox), sender, sender .. ':bytes')
  local messages, used = tonumber(mine[1] or 0), tonumber(mine[2] or 0)
  if messages + 1 > (INBOX_MAX - waiting + messages) / 2
    or used + size > (INBOX_BYTES_MAX - bytes + used) / 2 then
    return { 'share', waiting, messages }
  end
end

local function run()
  if only_repeats == '1' then return { 'new' } end
  local waiting, bytes = depth(), tonumber(redis.call('HGET', key.inbox(inbox), 'bytes') or 0)
  local mail = members .. ',"timestamp":"' .. rfc3339_ms(now) .. '"'
  if waiting >= INBOX_MAX or bytes + #mail > INBOX_BYTES_MAX then
    return { 'full', waiting }
  end
  local refused = sender ~= '' and exceeds_share(waiting, bytes, #mail)
  if refused then return refused end
  put(message_id, mail, priority, sender)
  if for_old_clients == '1' then
    redis.call('LPUSH', key.old_inbox(inbox), '{"msg_id":"' .. message_id .. '",' .. mail .. '}')
  end
  keep_inbox()
  return { 'ok', message_id, depth() }
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] == 'ok' end)
