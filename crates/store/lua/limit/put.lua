-- Makes a limit, or sets what it is anew. What runs goes on.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          name: LimitId      Which.
--          by: text             Who asks.
--          concurrency: int?    Most tasks that run at once; none: any number.
--          rates: text          JSON: `[[unit, ms, count]]`.
--          paused: flag         None begin.
--          per_owner: flag      Each owner of tasks has one of its own.
--          note: text           For people.
-- Returns  LimitPut:
--          ok(limit: Box<Limit>)
--          too_many             There are as many as there may be.
-- Emits    limit_changed
-- include: records once limits audit

local FACTS = 'concurrency n rates j paused f per_owner f note t'

local function run()
  local number = redis.call('HGET', key.limit(name), 'number')
  if not number and redis.call('ZCARD', key.limits) >= LIMITS_MAX then return { 'too_many' } end
  local before = facts_of(key.limit(name), FACTS)
  number = number or redis.call('HINCRBY', key.cluster, 'limits', 1)
  redis.call('ZADD', key.limits, number, name)
  redis.call('HSET', key.queue_audiences, LIMITED, 1)
  redis.call('HSET', key.limit(name), 'number', number, 'concurrency', concurrency, 'rates', rates,
    'paused', paused, 'per_owner', per_owner, 'note', note, 'updated_by', by, 'updated_at', now)
  open_all_of(name)
  raise_schema()
  tell_limit_changed('limit_changed', name)
  audit('limit.set', name, before, facts_of(key.limit(name), FACTS))
  keep_clock()
  local reply = { 'ok' }
  append_limit(reply, name)
  return reply
end

return once(run, function(reply) return reply[1] == 'ok' end)
