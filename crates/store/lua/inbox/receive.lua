-- Leases messages to a receiver: first in, first out within a priority. What is not acknowledged
-- in time comes back. What there is no room for in the answer stays where it is.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4 limit · 5 lease in ms · 6 1 to take in old clients' mail
-- Returns  'ok', then 4 for each message: id, attempts, members (JSON without braces) or what an
--          old client pushed, 1 if it is the latter else 0
-- full: runs
-- include: now clock expiring once inbox budget

local function run()
  settle_leases(100)
  if ARGV[6] == '1' then take_in_old_mail(100) end
  local reply = { 'ok' }
  for _, id in ipairs(redis.call('ZRANGE', key.waiting(agent), 0, tonumber(ARGV[4]) - 1)) do
    local added = add(reply, append_mail, id)
    if added == false then break end
    redis.call('ZREM', key.waiting(agent), id)
    if added then
      redis.call('ZADD', key.leased(agent), string.format('%.0f', clock + tonumber(ARGV[5])), id)
      -- Of the four that were added the second is how often it was received.
      reply[#reply - 2] = redis.call('HINCRBY', key.mail(agent), id .. ':attempts', 1)
    end
  end
  keep_inbox()
  return reply
end

return once_unless_empty(run)
