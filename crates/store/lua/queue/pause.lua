-- Keeps waiting tasks back, all or those that require some skills or are of some types; or none any more.
-- What runs goes on.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          paused: text         `*` for all, a JSON array of skills and types, or empty for none.
--          skills: text         The skills of these (JSON).
--          types: text          The types of these (JSON).
-- Returns  ok
-- Emits    queue_paused · queue_resumed
-- include: records once queue audit

-- What is paused, as a fact. Types begin with a line's end where they are kept.
local function fact(of)
  if of == '' or of == '*' then return facts('paused', of) end
  local of_skills, of_types = {}, {}
  for _, what in ipairs(cjson.decode(of)) do
    local kind = string.match(what, '^\n(.*)')
    local list = kind and of_types or of_skills
    list[#list + 1] = kind or what
  end
  return facts('paused_skills', of_skills[1] and { cjson.encode(of_skills) }, 'paused_types',
    of_types[1] and { cjson.encode(of_types) })
end

local function run()
  local before = redis.call('HGET', key.queue_audiences, PAUSED) or ''
  if paused == '' then
    redis.call('HDEL', key.queue_audiences, PAUSED)
  else
    redis.call('HSET', key.queue_audiences, PAUSED, paused)
  end
  tell_queue_paused(paused == '' and 'queue_resumed' or 'queue_paused', skills, types)
  audit(paused == '' and 'queue.resume' or 'queue.pause', 'queue', fact(before), fact(paused))
  return { 'ok' }
end

return once(run)
