-- An agent's inbox: messages wait by priority and number, are leased to a receiver, and go for
-- good once they are acknowledged.
-- include: clock

local RANK_OF = { high = 0, medium = 1, low = 2 }

local inbox = ARGV[3]

-- First the urgent, then the old.
local function rank_of(priority, number)
  return RANK_OF[priority] * 1e13 + number
end

local function depth()
  return redis.call('ZCARD', key.waiting(inbox)) + redis.call('ZCARD', key.leased(inbox))
end

-- Whose shares have changed: names, and each name as a field.
local changed = {}

-- Counts a message that waits or is leased (1), or not any more (-1), for the inbox and for who sent
-- it. Of old clients' mail nothing is counted.
local function count_mail(id, sign)
  local row = redis.call('HMGET', key.mail(inbox), id .. ':sender', id .. ':bytes')
  if not row[2] then return end
  redis.call('HINCRBY', key.inbox(inbox), 'bytes', sign * row[2])
  if row[1] == '' then return end
  redis.call('HINCRBY', key.senders(inbox), row[1], sign)
  redis.call('HINCRBY', key.senders(inbox), row[1] .. ':bytes', sign * row[2])
end

-- Counts a message of a sender that is kept here, dead or not, or is not any more.
local function count_kept(id, sign)
  local row = redis.call('HMGET', key.mail(inbox), id .. ':sender', id .. ':bytes')
  if not row[2] or row[1] == '' then return end
  redis.call('HINCRBY', key.senders(inbox), row[1] .. ':kept', sign * row[2])
  if not changed[row[1]] then
    changed[row[1]] = true
    changed[#changed + 1] = row[1]
  end
end

-- Appends to a reply, for each sender whose mail here has changed: sender, bytes of it that are here.
local function append_changed(reply)
  for _, sender in ipairs(changed) do
    local kept = redis.call('HGET', key.senders(inbox), sender .. ':kept')
    if kept == '0' then
      redis.call('HDEL', key.senders(inbox), sender, sender .. ':bytes', sender .. ':kept')
    end
    reply[#reply + 1] = sender
    reply[#reply + 1] = kept
  end
  return reply
end

-- Forgets a message; one that is dead is not counted any more.
local function forget(id, is_dead)
  if not is_dead then count_mail(id, -1) end
  count_kept(id, -1)
  redis.call('HDEL', key.mail(inbox), id, id .. ':attempts', id .. ':rank', id .. ':old',
    id .. ':proposal', id .. ':sender', id .. ':bytes')
end

local function bury(id, place)
  count_mail(id, -1)
  redis.call('ZADD', key.dead(inbox), place, id)
  local bytes = redis.call('HGET', key.mail(inbox), id .. ':bytes') or 0
  local all = redis.call('HINCRBY', key.inbox(inbox), 'dead_bytes', bytes)
  while all > INBOX_BYTES_MAX or redis.call('ZCARD', key.dead(inbox)) > DEAD_LETTERS_MAX do
    local oldest = redis.call('ZPOPMIN', key.dead(inbox))[1]
    if not oldest then return end
    local freed = redis.call('HGET', key.mail(inbox), oldest .. ':bytes') or 0
    all = redis.call('HINCRBY', key.inbox(inbox), 'dead_bytes', 0 - freed)
    forget(oldest, true)
  end
end

-- Takes a message from among the dead letters; false if it is not there.
local function dig_up(id)
  if redis.call('ZREM', key.dead(inbox), id) == 0 then return false end
  local bytes = redis.call('HGET', key.mail(inbox), id .. ':bytes') or 0
  redis.call('HINCRBY', key.inbox(inbox), 'dead_bytes', 0 - bytes)
  return true
end

-- Brings back what was not acknowledged in time; what has been tried often enough is dead.
local function settle_leases(most)
  local late = redis.call('ZRANGEBYSCORE', key.leased(inbox), '-inf', clock, 'LIMIT', 0, most)
  for _, id in ipairs(late) do
    redis.call('ZREM', key.leased(inbox), id)
    local row = redis.call('HMGET', key.mail(inbox), id .. ':attempts', id .. ':rank')
    if tonumber(row[1]) >= MAIL_TRIES_MAX then
      bury(id, row[2])
    else
      redis.call('ZADD', key.waiting(inbox), row[2], id)
    end
  end
end

-- Remembers of a message that it may be a proposal, so that its end need not be found in its text.
local function mark_proposal(id, mail)
  if string.find(mail, '"task_proposal"', 1, true) then
    redis.call('HSET', key.mail(inbox), id .. ':proposal', 1)
  end
end

local function put(id, mail, priority, sender)
  local place = string.format('%.0f', rank_of(priority,
    redis.call('HINCRBY', key.inbox(inbox), 'number', 1)))
  redis.call('HSET', key.mail(inbox), id, mail, id .. ':attempts', 0, id .. ':rank', place,
    id .. ':sender', sender, id .. ':bytes', #mail)
  redis.call('ZADD', key.waiting(inbox), place, id)
  count_mail(id, 1)
  count_kept(id, 1)
  mark_proposal(id, mail)
end

-- Takes in what old clients pushed onto the list that carries the inbox's name.
local function take_in_old_mail(most)
  if redis.call('TYPE', key.old_inbox(inbox)).ok ~= 'list' then return end
  for _ = 1, most do
    local raw = redis.call('RPOP', key.old_inbox(inbox))
    if not raw then return end
    local number = redis.call('HINCRBY', key.inbox(inbox), 'number', 1)
    local id = 'msg_old_' .. number
    local place = string.format('%.0f', rank_of('medium', number))
    redis.call('HSET', key.mail(inbox), id, raw, id .. ':attempts', 0, id .. ':rank', place,
      id .. ':old', 1)
    redis.call('ZADD', key.waiting(inbox), place, id)
    mark_proposal(id, raw)
  end
end

-- Appends a message to a reply: id, attempts, its members or what an old client pushed, 1 if it is
-- the latter else 0. Returns at least how many bytes that is as JSON, false if it is gone.
local function append_mail(reply, id)
  local row = redis.call('HMGET', key.mail(inbox), id .. ':attempts', id, id .. ':old')
  local n, text = #reply, row[2]
  if not text then return false end
  if row[3] then text = string.sub(text, 1, OLD_MAIL_SHOWN) end
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] =
    id, tonumber(row[1]), text, row[3] and 1 or 0
  return 500 + (row[3] and 6 or 1) * #text
end

local function keep_inbox()
  keep_clock()
  for _, name in ipairs({ key.inbox(inbox), key.waiting(inbox), key.leased(inbox),
    key.mail(inbox), key.dead(inbox), key.senders(inbox) }) do
    -- Readers come here, too, who do without where Redis takes no writes.
    redis.pcall('PEXPIRE', name, INBOX_TTL_MS)
  end
end
