-- Keeps waiting tasks back, all or those that require some skills or are of some types; or none any more.
-- What runs goes on.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          paused: text         `*` for all, a JSON array of skills and types, or empty for none.
--          skills: text         The skills of these (JSON).
--          types: text          The types of these (JSON).
-- Returns  ok
-- Emits    queue_paused · queue_resumed
-- include: records once queue

local function run()
  if paused == '' then
    redis.call('HDEL', key.queue_audiences, PAUSED)
  else
    redis.call('HSET', key.queue_audiences, PAUSED, paused)
  end
  tell_queue_paused(paused == '' and 'queue_resumed' or 'queue_paused', skills, types)
  return { 'ok' }
end

return once(run)
