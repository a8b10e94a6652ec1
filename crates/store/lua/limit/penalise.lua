-- Shuts a limit for a time, since a provider wants to be left alone: for the key that a running task counts
-- against, or for one that an admin names, who may also open it before its time.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          name: LimitId      Which.
--          writer: Writer<'a>   Who asks.
--          task_id: TaskId?     The running task that was refused.
--          token: Token?        The token under which it runs.
--          owner: text          Without a task: whose use, where each owner has one.
--          use_key: text        Without a task: of which key.
--          for_ms: int          For how long; 0: it opens.
-- Returns  Penalised:
--          ok(shut_until: UnixMillis)  Nothing begins until then.
--          unknown_limit        There is no such limit.
--          wants_owner          Each owner has one of its own: whose is not said.
--          has_no_owners        It is one for all: an owner is said.
--          not_under            The task does not count against it.
--          not_found            There is no such task.
--          forbidden            It runs on somebody else's node.
--          fenced               Its claim is over.
-- Emits    limit_shut
-- include: records once claim limits limit audit

local function shut(use)
  local standing, length = standing_of_use(use, read_limit(name)), tonumber(for_ms)
  standing.shut_until = length > 0 and math.max(standing.shut_until, clock + length) or 0
  if length == 0 then open_at(use, clock) end
  redis.call('HSET', key.limit_use(use), 'shut_until', standing.shut_until)
  if length > 0 then redis.call('HSET', key.limit_use(use), 'penalised_at', now) end
  keep_use(use, standing)
end

local function run()
  local limit = read_limit(name)
  if not limit then return { 'unknown_limit' } end
  if task_id == '' then
    if limit.per_owner and owner == '' then return { 'wants_owner' } end
    if owner ~= '' and not limit.per_owner then return { 'has_no_owners' } end
    shut(use_of({ name, use_key }, owner))
    audit('limit.shut', name, nil, facts('key', use_key, 'owner', owner, 'for_ms', tonumber(for_ms)))
  else
    local task = read_task(task_id)
    local refused = claim_refusal(task, token, writer)
    if refused then return { refused } end
    local is_under = false
    for _, use in ipairs(task.uses and cjson.decode(task.uses) or {}) do
      if string.sub(use, 1, #name + 1) == name .. '/' then
        shut(use)
        is_under = true
      end
    end
    if not is_under then return { 'not_under' } end
    audit('limit.shut', name, nil, facts('task_id', task_id, 'for_ms', tonumber(for_ms)))
  end
  tell_limit_shut(name, for_ms)
  keep_clock()
  return { 'ok', now + tonumber(for_ms) }
end

return once(run)
