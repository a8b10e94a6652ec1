-- Changes some fields of a node (PATCH /nodes/{id}).
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          node_id: NodeId      Which.
--          writer: Writer<'a>   Who asks.
--          status: Option<NodeStatus>
--                               Its status.
--          available_skills: Option<Labels<'a>>
--                               Its skills.
--          tags: Option<Labels<'a>>
--                               Its tags.
--          max_concurrent_tasks: int?
--                               How many tasks it runs at once.
--          total_tasks_processed: int?
--                               Tasks ended, ever.
--          successful_tasks: int?
--                               Of these, the good ones.
--          failed_tasks: int?   Of these, the failed ones.
--          average_execution_time: Option<f64>
--                               Seconds.
-- Returns  Written<>:
--          ok(Box<Node>)
-- Emits    node_<status> when the status changes; task_pending, leader_changed when it is offline now
-- full: runs
-- include: records once node audit

-- '' leaves a field as it is.
local function set(field, value)
  if value ~= '' then redis.call('HSET', key.node(node_id), field, value) end
end

-- What somebody sets by hand.
local function note(row)
  local after = facts('status', status, 'available_skills', { available_skills }, 'tags', { tags },
    'max_concurrent_tasks', tonumber(max_concurrent_tasks), 'total_tasks_processed',
    tonumber(total_tasks_processed), 'successful_tasks', tonumber(successful_tasks), 'failed_tasks',
    tonumber(failed_tasks), 'average_execution_time', tonumber(average_execution_time))
  if after == '{}' then return end
  audit('node.change', node_id, facts('status', status ~= '' and row[1],
    'available_skills', { available_skills ~= '' and row[4] }, 'tags', { tags ~= '' and row[5] },
    'max_concurrent_tasks', max_concurrent_tasks ~= '' and tonumber(row[6]),
    'total_tasks_processed', total_tasks_processed ~= '' and tonumber(row[8]),
    'successful_tasks', successful_tasks ~= '' and tonumber(row[9]),
    'failed_tasks', failed_tasks ~= '' and tonumber(row[10]),
    'average_execution_time', average_execution_time ~= '' and tonumber(row[11])), after)
end

local function run()
  local row = redis.call('HMGET', key.node(node_id), 'status', 'owner', 'seq', 'available_skills',
    'tags', 'max_concurrent_tasks', 'running_tasks', 'total_tasks_processed', 'successful_tasks',
    'failed_tasks', 'average_execution_time')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], writer) then return { 'forbidden' } end
  set('available_skills', available_skills)
  if available_skills ~= '' then
    index_skills(node_id, row[3], row[1], row[4], available_skills)
    mirror(node_id)
  end
  set('tags', tags)
  if tags ~= '' then index_tags(node_id, row[3], row[5], tags) end
  set('max_concurrent_tasks', max_concurrent_tasks)
  if max_concurrent_tasks ~= '' then
    redis.call('HINCRBY', key.cluster, 'capacity', max_concurrent_tasks - row[6])
    index_room(node_id, row[1], tonumber(row[7]), tonumber(max_concurrent_tasks))
  end
  set('total_tasks_processed', total_tasks_processed)
  set('successful_tasks', successful_tasks)
  set('failed_tasks', failed_tasks)
  set('average_execution_time', average_execution_time)
  if status ~= '' then
    -- A node that an operator brings back gets a full timeout to send its next heartbeat.
    if not is_alive(row[1]) and is_alive(status) then
      redis.call('HSET', key.node(node_id), 'beat', clock)
    end
    if status == 'offline' then go_offline(node_id, 'changed') else move(node_id, status, 'changed') end
  end
  note(row)
  keep_clock()
  local reply = { 'ok' }
  append_node(reply, node_id)
  return reply
end

return once(run)
