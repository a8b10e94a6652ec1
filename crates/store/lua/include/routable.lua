-- Which nodes could run a task. `index` names the set of nodes with a skill.
-- include: words

-- How many nodes, at most `most`, are in the sets of all these skills and in `among`.
local function count_nodes(skills, index, among, most)
  local command = { 'ZINTERCARD', #skills + 1, among }
  for _, skill in ipairs(skills) do command[#command + 1] = index(skill) end
  command[#command + 1] = 'LIMIT'
  command[#command + 1] = most
  return redis.call(unpack(command))
end

-- The same for one node, which may have to be one of some agents' (nil for everybody's).
local function count_node(node, agents, skills, index, among)
  if not redis.call('ZSCORE', among, node) then return 0 end
  for _, skill in ipairs(skills) do
    if not redis.call('ZSCORE', index(skill), node) then return 0 end
  end
  for _, agent in ipairs(agents or {}) do
    if redis.call('ZSCORE', key.nodes_by_owner(agent), node) then return 1 end
  end
  return agents and 0 or 1
end

-- The same for what a task wants (see read_wants).
local function count_able(wants, index, among, most)
  local skills, agents, node = wants[1], wants[4], wants[5]
  if node then return count_node(node, agents, skills, index, among) end
  if not agents then return count_nodes(skills, index, among, most) end
  local count = 0
  for _, agent in ipairs(agents) do
    local command = { 'ZINTERCARD', #skills + 2, key.nodes_by_owner(agent), among }
    for _, skill in ipairs(skills) do command[#command + 1] = index(skill) end
    command[#command + 1] = 'LIMIT'
    command[#command + 1] = most
    count = count + redis.call(unpack(command))
  end
  return math.min(count, most)
end

-- Whether any node, whatever its status, may run what wants this.
local function is_routable(wants)
  return count_able(wants, key.by_skill, key.nodes, 1) == 1
end

-- Lists a task that can be seen from now on.
local function index_task(task)
  count_event('s', 1)
  redis.call('ZADD', key.task_list, task.seq, task.id)
  redis.call('ZADD', key.tasks_by_status(task.status), task.seq, task.id)
  redis.call('ZADD', key.tasks_by_owner(task.owner), task.seq, task.id)
  if task.user ~= '' then redis.call('ZADD', key.tasks_by_user(task.user), task.seq, task.id) end
  if task.session ~= '' then
    redis.call('ZADD', key.tasks_by_session(task.session), task.seq, task.id)
  end
  list_words(task)
end
