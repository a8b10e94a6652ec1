-- Makes void what was given out on data that are no more: Redis holds an older copy. Claims,
-- incarnations and terms go on far above any number that was ever given out, leases end, running
-- tasks go back into the queue (no retry is counted), and readers of the event log are told. The
-- first call does all but the paging; the others go on with tasks and nodes.
--
-- KEYS[1]  the cluster partition
-- ARGV     begins: flag         Begin; else go on.
--          taken_at_ms: int?    When the copy was taken, in milliseconds of Redis' clock.
--          seen: text?          The youngest event that somebody has seen and that the copy does not
--                               hold.
-- Returns  ok(Voided)
-- Emits    restored, leader_changed, task_pending
-- full: runs
-- include: node restored

-- Numbers begin at ten for each millisecond since 1970: no counter that began at 0 gets there, and
-- one that was restored before has to give out ten in each millisecond since. They stay below 10^14,
-- which Lua writes out.
local function raised(number)
  return string.format('%.0f', math.max((tonumber(number) or 0) + 1e6, now * 10 + 1))
end

local function raise(hash, field)
  redis.call('HSET', hash, field, raised(redis.call('HGET', hash, field)))
end

-- The last event that both histories have.
local function last_common()
  if redis.call('EXISTS', key.events) == 0 then return '0-0' end
  if seen ~= '' then
    local before = redis.call('XREVRANGE', key.events, '(' .. seen, '-', 'COUNT', 1)[1]
    return before and before[1] or '0-0'
  end
  local info = redis.call('XINFO', 'STREAM', key.events)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local function tell()
  local common = last_common()
  local youngest = redis.call('XREVRANGE', key.events, '+', '-', 'COUNT', 1)[1]
  local ms = now
  for _, id in ipairs({ common, youngest and youngest[1] or common, seen }) do
    ms = math.max(ms, (id_parts(id)))
  end
  local id = string.format('%.0f-0', ms + RESTORED_EVENT_MARGIN_MS)
  local known = restored_places()
  known[#known + 1] = { common, id }
  if #known > RESTORATIONS_MAX then table.remove(known, 1) end
  redis.call('HSET', key.cluster, 'restored', cmsgpack.pack(known))
  local taken_at = taken_at_ms ~= '' and rfc3339_ms(tonumber(taken_at_ms)) or ''
  tell_restored(taken_at, common, id)
end

-- Whoever has led since the copy is not known, nor that it leads no longer.
local function end_leases()
  local row = redis.call('HMGET', key.leader, 'node', 'term', 'until', 'ended')
  redis.call('HSET', key.leader, 'floor', raised(row[2]))
  if read_lock() then redis.call('DEL', key.leader_lock) end
  keep_former(math.max(tonumber(row[3] or nil) or 0, clock + OLD_LOCK_MS))
  if row[1] then redis.call('HSET', key.leader, 'ended', 'revoked', 'lock', '') end
  if row[1] and not row[4] then
    remember('lost', row[1], row[2], 'restored')
    tell_leader_changed('', row[2], row[1], 'restored')
  end
  raise(key.monitor, 'term')
  redis.call('HSET', key.monitor, 'holder', '', 'until', 0)
end

local function begin()
  -- Where Redis was replaced under hosts that run, the clock may stand where it was long ago.
  keep_clock()
  tell()
  raise(key.cluster, 'claims')
  raise(key.cluster, 'incarnation')
  local row = redis.call('HMGET', key.cluster, 'claims', 'incarnation')
  redis.call('HSET', key.cluster, 'voiding', cmsgpack.pack({ '-inf', '-inf', row[1], row[2] }))
  end_leases()
end

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
if begins == '1' and (seen == '' or not restored_behind(seen)) then begin() end
local more, released = go_on()
return { 'ok', more, released }
