-- Lists an agent's keys, oldest first.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 agent
-- Returns  'ok', key rows · 'not_found'
-- include: key

if redis.call('EXISTS', key.agent(ARGV[3])) == 0 then return { 'not_found' } end
local reply = { 'ok' }
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(ARGV[3]), 0, -1)) do
  append_key(reply, id)
end
return reply
