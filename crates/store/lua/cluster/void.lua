-- Makes void what was given out on data that are no more: Redis holds an older copy. Claims,
-- incarnations and terms go on far above any number that was ever given out, leases end, running
-- tasks go back into the queue (no retry is counted), and readers of the event log are told. The
-- first call does all but the paging; the others go on with tasks and nodes.
--
-- KEYS[1]  the cluster partition
-- ARGV     audit
--          begins: flag         Begin; else go on.
--          taken_at_ms: int?    When the copy was taken, in milliseconds of Redis' clock.
--          seen: text?          The youngest event that somebody has seen and that the copy does not
--                               hold.
-- Returns  ok(Voided)
-- Emits    restored, leader_changed, task_pending
-- full: runs
-- include: node era audit

-- A page of an index of numbered things, and where to go on ('' at the end).
local function page(index, after, each)
  if after == '' then return '' end
  local found = redis.call('ZRANGEBYSCORE', index, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0,
    VOID_BATCH)
  for i = 1, #found, 2 do each(found[i]) end
  return #found == 2 * VOID_BATCH and found[#found] or ''
end

local function go_on()
  local kept = redis.call('HGET', key.cluster, 'voiding')
  if not kept then return 0, 0 end
  local state, released = cmsgpack.unpack(kept), 0
  local claims, incarnation = tonumber(state[3]), tonumber(state[4])
  state[1] = page(key.tasks_by_status('running'), state[1], function(id)
    local task = read_task(id)
    local number = task and tonumber(string.match(task.token or '', '^%d+') or nil) or 0
    if not task or number > claims then return end
    note_claim_over(task)
    redis.call('SREM', key.claims(task.node), id)
    local node = task.node
    end_attempt(task, 'released')
    requeue(task, 'restored')
    index_load(node)
    released = released + 1
  end)
  state[2] = page(key.nodes, state[2], function(id)
    local known = tonumber(redis.call('HGET', key.node(id), 'incarnation') or nil) or 0
    if known <= incarnation and redis.call('EXISTS', key.node(id)) == 1 then
      redis.call('HSET', key.node(id), 'incarnation',
        redis.call('HINCRBY', key.cluster, 'incarnation', 1))
    end
  end)
  if state[1] == '' and state[2] == '' then
    redis.call('HDEL', key.cluster, 'voiding')
    return 0, released
  end
  redis.call('HSET', key.cluster, 'voiding', cmsgpack.pack(state))
  return 1, released
end

-- Where several hosts notice at once, one of them begins.
if begins == '1' and (seen == '' or not is_noticed(seen)) then
  local id, era = this_process()
  local taken_at = taken_at_ms ~= '' and rfc3339_ms(tonumber(taken_at_ms)) or ''
  if redis.call('EXISTS', key.audit_head) == 1 then
    audit('hub.restore', 'cluster', nil, facts('taken_at', taken_at))
  end
  begin_void(id, math.max(era, tonumber(redis.call('HGET', key.cluster, 'era') or nil) or 0),
    taken_at, seen)
end
local more, released = go_on()
return { 'ok', more, released }
