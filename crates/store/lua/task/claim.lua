-- Gives a node tasks to run (contract.md §5): the one that it names, or the first by rank whose required
-- skills it all has. Among those that stand first within one second, the one whose optional skills and
-- tags it matches best.
--
-- Looks at classes of tasks, never at the backlog: for each skill of the node at the classes that
-- are listed under it, in the order of their first tasks, until one fits. Classes that are for one
-- node, or for some agents' nodes only, have lists of their own.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          node_id: NodeId      The node that will run them.
--          writer: Writer<'a>   Who asks.
--          limit: int           Most tasks.
--          spent_by: int        Bytes of those that the same claim has got before.
--          lease_ms: int        How long each is held without a sign of life, in milliseconds.
--          task_id: TaskId?     The one task that it asks for.
--          random: text         Goes into the tokens, so that they cannot be guessed.
-- Returns  Written<>:
--          ok(Claims)           Its reason is `limits` where some are to be opened (limit/open) or are shut.
-- Emits    task_running; task_pending for delayed ones whose time has come
-- full: runs
-- include: records once claim inputs budget limit

lease_ms = tonumber(lease_ms)
local skills, paused, tags, fitness, owner = {}, {}, {}, {}, nil
-- For each list, how many classes at its head do not fit: within one claim that stays so.
local unfit = {}
-- The classes under limits, and how many were parked since one of these is shut.
local limited, parked = {}, 0

local function set_of(into, json)
  for _, label in ipairs(cjson.decode(json)) do into[label] = true end
end

local function count_in(labels, set)
  local count = 0
  for _, label in ipairs(labels) do
    if set[label] then count = count + 1 end
  end
  return count
end

-- Whether a class is for the node.
local function is_for(record)
  if record[7] and record[7] ~= node_id then return false end
  if not record[6] then return true end
  for _, agent in ipairs(record[6]) do
    if agent == owner then return true end
  end
  return false
end

-- How well a class fits the node: false if it is not for it or asks for a skill that it lacks, else how
-- many preferences it meets.
local function fit(record)
  if not is_for(record) or paused['\n' .. (record[9] or '')] then return false end
  for _, skill in ipairs(record[2]) do
    if not skills[skill] or paused[skill] then return false end
  end
  return count_in(record[3], skills) + count_in(record[4], tags)
end

-- Finds out how well the classes of a page (class and rank in turn) fit.
local function judge(page)
  local unknown = {}
  for i = 1, #page, 2 do
    if fitness[page[i]] == nil then unknown[#unknown + 1] = page[i] end
  end
  if #unknown == 0 then return end
  local records = redis.call('HMGET', key.queue_classes, unpack(unknown))
  for i, class in ipairs(unknown) do
    local record = records[i] and cmsgpack.unpack(records[i])
    fitness[class] = record and fit(record)
    limited[class] = record and record[8] and record
  end
end

local function second(rank)
  return math.floor(rank / 1e6)
end

-- The best class of a list: nil if none fits.
local function best_of_list(list)
  local best, from, ties, size = nil, unfit[list] or 0, 0, CLAIM_PAGE
  while true do
    local page = redis.call('ZRANGE', list, from, from + size - 1, 'WITHSCORES')
    judge(page)
    for i = 1, #page, 2 do
      local rank = tonumber(page[i + 1])
      if best and (second(rank) > second(best.rank) or ties == CLAIM_TIES_MAX) then return best end
      local met = fitness[page[i]]
      if met then
        if not best then unfit[list] = from + (i - 1) / 2 end
        ties = ties + 1
        if not best or met > best.met then
          best = { class = page[i], rank = rank, met = met, list = list }
        end
      end
    end
    if #page < 2 * size then return best end
    from, size = from + size, CLAIM_PAGE_MAX
  end
end

local function is_better(a, b)
  if second(a.rank) ~= second(b.rank) then return a.rank < b.rank end
  if a.met ~= b.met then return a.met > b.met end
  return a.rank < b.rank
end

-- Counts a task that a node takes against what it is under.
local function take_uses(task, record)
  local held = {}
  for _, under in ipairs(record[8]) do
    local use, rule = use_of(under, record[5]), read_limit(under[1])
    if rule then
      local standing = standing_of_use(use, rule)
      redis.call('SADD', key.limit_held(use), task.id)
      -- All of a limit, whatever their keys; those without one are counted already.
      if #use > #under[1] + 2 then redis.call('SADD', key.limit_held(under[1]), task.id) end
      standing.held = standing.held + 1
      for i, rate in ipairs(rule.rates) do
        standing[i] = math.max(standing[i], clock) + share_of(rate, under)
        redis.call('HSET', key.limit_use(use), rate[1] .. '/' .. rate[2], string.format('%.3f', standing[i]))
      end
      if rule.rates[1] then keep_use(use, standing) end
      held[#held + 1] = use
    end
  end
  if held[1] then redis.call('HSET', key.task(task.id), 'uses', cjson.encode(held)) end
end

-- Takes a class out of the lists of its node since a use is shut.
local function park(class, record, use, till)
  local rank = redis.call('ZRANGE', key.queue(class), 0, 0, 'WITHSCORES')[2]
  for _, list in ipairs(heads_of(record)) do redis.call('ZREM', list, class) end
  redis.call('HSET', key.parked_classes, class, use)
  redis.call('ZADD', key.limit_parked(use), rank, class)
  if till < math.huge then open_at(use, till) end
  parked = parked + 1
end

local function hand_out(id, runner)
  local task = read_task(id)
  local record = read_class(task.class)
  local token = redis.call('HINCRBY', key.cluster, 'claims', 1) .. '-' .. random
  local row = redis.call('HMGET', key.task(task.id), 'timeout_ms', 'queued_at')
  task.deadline = clock + tonumber(row[1]) + TIMEOUT_GRACE_MS
  count_span('w', now - tonumber(row[2] or task.submitted))
  task.node = node_id
  dequeue(task)
  if record and record[8] then take_uses(task, record) end
  redis.call('HSET', key.task(task.id), 'assigned_node', node_id, 'runner', runner, 'token', token,
    'claimed', clock,
    'deadline', task.deadline, 'lease_ms', lease_ms, 'started_at', now, 'progress', 0)
  redis.call('SADD', key.claims(node_id), task.id)
  redis.call('ZADD', key.tasks_by_node(node_id), task.seq, task.id)
  renew_lease(task, lease_ms)
  move_task(task, 'running', 'claimed')
  return token, task
end

-- The lists that a node looks at: for each of its skills, and for none; and those of classes that are
-- for it, or for its owner's nodes, where there are any.
local function lists_of_node(special)
  local has_own = owner and special[2]
  local lists = { special[1] and key.queue_heads_at(node_id) or nil }
  local function list_skill(skill)
    lists[#lists + 1] = key.queue_heads(skill)
    if has_own then lists[#lists + 1] = key.queue_heads_for(owner, skill) end
  end
  list_skill('')
  for skill in pairs(skills) do list_skill(skill) end
  return lists
end

-- Why the node cannot have the task that it names; nil if it can.
local function unfit_for_named()
  local task = read_task(task_id)
  local record = task and task.status == 'pending' and read_class(task.class)
  if not record or not redis.call('ZSCORE', key.queue(task.class), task_id) or not is_for(record) then
    return 'No such task waits for this node.'
  end
  if not fit(record) then
    return next(paused) and 'The task\'s type, or a skill that it requires, is paused, or the node lacks it.'
      or 'The node lacks a skill that the task requires.'
  end
  local _, _, by, under = shut_use(record)
  return by and 'The limit ' .. under[1] .. ' is shut: ' .. by .. '.' or nil
end

local function append_claim(reply, id)
  local token, task = hand_out(id, owner or '')
  -- What a task that has waited goes on with.
  local left = task.waits and redis.call('HMGET', key.task_large(id), 'checkpoint', 'resume') or {}
  local inputs = task.unmet and inputs_of(task) or ''
  local n = #reply
  reply[2], reply[n + 1], reply[n + 2] = '', token, left[1] or ''
  reply[n + 3], reply[n + 4] = left[2] or '', inputs
  apart[n + 2], apart[n + 3] = { id, 'checkpoint' }, { id, 'resume' }
  return append_task(reply, id) + #reply[n + 2] + #reply[n + 3] + #inputs
end

-- Whether it was cut short: there may be more for the node.
local function claim_some(reply, free, special)
  local firsts = {}
  for _, list in ipairs(lists_of_node(special)) do firsts[list] = best_of_list(list) end
  while free > 0 do
    local best
    for _, first in pairs(firsts) do
      if not best or is_better(first, best) then best = first end
    end
    if not best then return false end
    local record = limited[best.class]
    local use, till
    if record then use, till = shut_use(record) end
    if use then
      park(best.class, record, use, till)
      if parked == CLAIM_PARKS_MAX then return true end
    else
      local first = redis.call('ZRANGE', key.queue(best.class), 0, 0)[1]
      -- What there is no room for in the answer stays in the queue, for the next claim.
      local is_only = spent == 0
      if not is_only and not has_room(bytes_of_task(first)) then return false end
      local bytes = append_claim(reply, first)
      if is_only then has_room(bytes) end
      free = free - 1
    end
    firsts[best.list] = best_of_list(best.list)
  end
end

local function run()
  local row = redis.call('HMGET', key.node(node_id), 'status', 'owner', 'available_skills', 'tags',
    'max_concurrent_tasks', 'running_tasks', 'reported')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], writer) then return { 'forbidden' } end
  owner = row[2]
  if row[1] ~= 'online' then return { 'ok', 'The node is ' .. row[1] .. '.' } end
  promote_due(CLAIM_DUE_MAX)
  local busy = math.max(tonumber(row[7] or row[6]), redis.call('SCARD', key.claims(node_id)))
  local free = math.min(tonumber(row[5]) - busy, tonumber(limit))
  if free <= 0 then return { 'ok', 'The node has no free capacity.' } end

  local special = redis.call('HMGET', key.queue_audiences, '>' .. node_id, owner or '', PAUSED, LIMITED)
  if special[3] == '*' then return { 'ok', 'The queue is paused.' } end
  if special[3] then set_of(paused, special[3]) end
  set_of(skills, row[3])
  set_of(tags, row[4])
  local reply = { 'ok', '' }
  spent = tonumber(spent_by)
  if task_id == '' then
    if claim_some(reply, free, special)
      or special[4] and redis.call('ZCOUNT', key.limits_opening, '-inf', clock) > 0 then
      reply[2] = 'limits'
    elseif #reply == 2 then
      reply[2] = 'No task waits that the node could run'
        .. (special[4] and redis.call('EXISTS', key.parked_classes) == 1
          and '; limits keep some back, which may be for it.' or '.')
    end
  else
    reply[2] = unfit_for_named() or ''
    if reply[2] == '' then append_claim(reply, task_id) end
  end
  if #reply > 2 then index_load(node_id) end
  keep_clock()
  return reply
end

-- That there was nothing is not kept: a repeat may find something.
return once(run, function(reply) return #reply > 2 end)
