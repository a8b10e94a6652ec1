-- Shows a message that may be a proposal, or what became of it.
--
-- KEYS[1]  the inbox partition
-- ARGV     3 agent · 4 message
-- Returns  'waiting', mail (JSON members without braces, or what an old client pushed), 1 if it is the
--          latter else 0 · 'accepted', seed, executor, owner, mail and 1 as above ('' once all is
--          done), 1 if all is done else 0, number of tasks, 1 if the proposer was answered else 0 ·
--          'declined' · 'not_found'

local agent, id = ARGV[3], ARGV[4]

local record = redis.call('HMGET', key.proposal(agent, id), 'state', 'seed', 'executor', 'owner',
  'mail', 'old', 'tasks', 'answered')
if record[1] == 'declined' then return { 'declined' } end
if record[1] then
  return { 'accepted', record[2], record[3], record[4], record[5] or '', record[6] and 1 or 0,
    record[1] == 'settled' and 1 or 0, tonumber(record[7] or 0), tonumber(record[8] or 0) }
end
local mail = redis.call('HMGET', key.mail(agent), id, id .. ':old')
if not mail[1] then return { 'not_found' } end
-- An old client's mail is bounded by nothing. What is cut here is no proposal.
return { 'waiting', mail[2] and string.sub(mail[1], 1, OLD_MAIL_SHOWN) or mail[1],
  mail[2] and 1 or 0 }
