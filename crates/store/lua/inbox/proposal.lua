-- Shows a message that may be a proposal, or what became of it.
--
-- KEYS[1]  the inbox partition
-- Call     Show
-- ARGV     agent: text          Whose inbox.
--          message_id: MailId   Which message.
-- Returns  Shown:
--          waiting(Kept)        It is in the inbox.
--          accepted(Box<Acceptance>)
--                               It was accepted. Once all is done, its mail is kept no more.
--          declined             It was acknowledged and not accepted.
--          not_found            There is no such message.

local record = redis.call('HMGET', key.proposal(agent, message_id), 'state', 'seed', 'executor', 'owner',
  'mail', 'old', 'tasks', 'answered')
if record[1] == 'declined' then return { 'declined' } end
if record[1] then
  return { 'accepted', record[2], record[3], record[4], record[5] or '', record[6] and 1 or 0,
    record[1] == 'settled' and 1 or 0, tonumber(record[7] or 0), tonumber(record[8] or 0) }
end
local mail = redis.call('HMGET', key.mail(agent), message_id, message_id .. ':old')
if not mail[1] then return { 'not_found' } end
-- An old client's mail is bounded by nothing. What is cut here is no proposal.
return { 'waiting', mail[2] and string.sub(mail[1], 1, OLD_MAIL_SHOWN) or mail[1],
  mail[2] and 1 or 0 }
