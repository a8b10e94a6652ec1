-- Lists the inboxes that there are by their names: all, those first whose last mail is the youngest, or
-- those of one agent, its own first and then those of its nodes.
--
-- KEYS[1]  the cluster partition
-- Call     ListInboxes
-- ARGV     owner: text?         Whose; everybody's without one.
--          limit: int           Most inboxes.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<String>)
-- include: walk

-- Above the number of any registration.
local FIRST = '9007199254740991'

local function append_name(reply, name)
  reply[#reply + 1] = name
  return 1000
end

local reply = { 'ok', '', 0 }
if owner == '' then
  return walk_one(key.inboxes, nil, { limit, below, LIST_SCAN_MAX, filled = filled }, reply, append_name)
end

-- The name of an agent is that agent's, and a node that carries it, too, gets no mail.
local function is_inbox(node)
  return redis.call('ZSCORE', key.inboxes, node) and redis.call('HGET', key.node(node), 'own_name') ~= '0'
end

limit = tonumber(limit)
begin_step(filled)
if below == '' and redis.call('ZSCORE', key.inboxes, owner) then
  add(reply, append_name, owner)
  limit, below = limit - 1, FIRST
end
if limit == 0 then
  reply[2], reply[3] = FIRST, spent
  return reply
end
return walk_one(key.nodes_by_owner(owner), is_inbox, { limit, below, LIST_SCAN_MAX, filled = spent }, reply,
  append_name)
