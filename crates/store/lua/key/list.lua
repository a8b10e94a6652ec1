-- Lists an agent's keys, or the admin keys, oldest first.
--
-- KEYS[1]  the ledger partition
-- ARGV     agent_id: AgentId    Whose; `@admin` for admin keys.
-- Returns  ok(Key*)
--          not_found
-- include: key

if agent_id ~= ADMIN and redis.call('EXISTS', key.agent(agent_id)) == 0 then
  return { 'not_found' }
end
local reply = { 'ok' }
for _, id in ipairs(redis.call('ZRANGE', key.agent_keys(agent_id), 0, -1)) do
  append_key(reply, id)
end
return reply
