-- Leases messages to a receiver: first in, first out within a priority. What is not acknowledged
-- in time comes back. What there is no room for in the answer stays where it is.
--
-- KEYS[1]  the inbox partition
-- ARGV     once
--          agent: text          Whose inbox.
--          limit: int           Most messages.
--          lease_ms: int        For how long, in milliseconds.
--          with_old_mail: flag  Take in what old clients pushed.
-- Returns  ok(Mail*)
-- full: runs
-- include: expiring once inbox budget

local function run()
  settle_leases(100)
  if with_old_mail == '1' then take_in_old_mail(100) end
  local reply = { 'ok' }
  for _, id in ipairs(redis.call('ZRANGE', key.waiting(inbox), 0, tonumber(limit) - 1)) do
    local added = add(reply, append_mail, id)
    if added == false then break end
    redis.call('ZREM', key.waiting(inbox), id)
    if added then
      redis.call('ZADD', key.leased(inbox), string.format('%.0f', clock + tonumber(lease_ms)), id)
      -- Of the four that were added the second is how often it was received.
      reply[#reply - 2] = redis.call('HINCRBY', key.mail(inbox), id .. ':attempts', 1)
    end
  end
  keep_inbox()
  return reply
end

return once_unless_empty(run)
