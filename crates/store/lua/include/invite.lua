-- include: clock key

-- Invites: what lets somebody register who has no key.
local INVITE_FIELDS = { 'uses', 'used', 'scopes', 'created_by', 'created_at', 'expires_at' }

-- Appends an invite to a reply: id, then its fields; returns about how many bytes that is as JSON, false if
-- it is over.
local function append_invite(reply, id)
  local row = redis.call('HMGET', key.invite(id), 'until', unpack(INVITE_FIELDS))
  if not row[1] or tonumber(row[1]) <= clock then return false end
  reply[#reply + 1] = id
  for i = 2, #row do reply[#reply + 1] = row[i] end
  return 300 + #row[4]
end

-- The invite that a token names: uses, used, scopes, and the key that made it, which bounds it. Nil
-- if it is unknown or over; one that is used up is neither.
local function read_invite(id, digest)
  local row = redis.call('HMGET', key.invite(id), 'digest', 'until', 'uses', 'used', 'scopes', 'maker')
  if not row[1] or row[1] ~= digest or tonumber(row[2]) <= clock then return nil end
  local maker = read_maker(row[6])
  return maker and { id = id, uses = tonumber(row[3]), used = tonumber(row[4]), scopes = row[5],
    maker = maker }
end

local function unlist_invite(id)
  redis.call('ZREM', key.invites, id)
  redis.call('ZREM', key.due_invites, id)
end

local function count_use(invite)
  redis.call('HINCRBY', key.invite(invite.id), 'used', 1)
  if invite.used + 1 >= invite.uses then
    unlist_invite(invite.id)
    redis.call('PEXPIRE', key.invite(invite.id), USED_UP_INVITE_KEPT_MS)
  end
end

-- Forgets invites that are over, some at a time.
local function prune_invites(most)
  local due = redis.call('ZRANGEBYSCORE', key.due_invites, '-inf', clock, 'LIMIT', 0, most)
  for _, id in ipairs(due) do
    unlist_invite(id)
    redis.call('DEL', key.invite(id))
  end
end
