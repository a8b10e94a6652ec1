-- Puts a message into an inbox. A full one refuses it, and nothing is dropped.
--
-- KEYS[1]  the inbox partition
-- ARGV     1-2 idempotency · 3 agent · 4 message · 5 its members (JSON without braces, without the
--          timestamp) · 6 priority · 7 most that may wait · 8 1 to push it to the old list, too
-- Returns  'ok', message, depth · 'full', depth
-- include: now clock rfc3339 once inbox

local id = ARGV[4]

local function run()
  if depth() >= tonumber(ARGV[7]) then return { 'full', depth() } end
  local mail = ARGV[5] .. ',"timestamp":"' .. rfc3339_ms(now) .. '"'
  put(id, mail, ARGV[6])
  if ARGV[8] == '1' then
    redis.call('LPUSH', key.old_inbox(agent), '{"msg_id":"' .. id .. '",' .. mail .. '}')
  end
  keep_inbox()
  return { 'ok', id, depth() }
end

-- That there was no room is not kept: a repeat may find some.
return once(run, function(reply) return reply[1] ~= 'full' end)
