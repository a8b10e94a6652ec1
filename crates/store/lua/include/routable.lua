-- Which nodes could run a task. `index` names the set of nodes with a skill.

-- How many nodes, at most `most`, are in the sets of all these skills and in `among`.
local function count_nodes(skills, index, among, most)
  local command = { 'ZINTERCARD', #skills + 1, among }
  for _, skill in ipairs(skills) do command[#command + 1] = index(skill) end
  command[#command + 1] = 'LIMIT'
  command[#command + 1] = most
  return redis.call(unpack(command))
end

-- The same among the nodes of some agents (nil for everybody's).
local function count_nodes_of(agents, skills, index, among, most)
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
  return count_nodes_of(wants[4], wants[1], key.by_skill, key.nodes, 1) == 1
end

-- Lists a task that can be seen from now on.
local function index_task(task)
  redis.call('ZADD', key.task_list, task.seq, task.id)
  redis.call('ZADD', key.tasks_by_status(task.status), task.seq, task.id)
  redis.call('ZADD', key.tasks_by_owner(task.owner), task.seq, task.id)
  if task.user ~= '' then redis.call('ZADD', key.tasks_by_user(task.user), task.seq, task.id) end
  if task.session ~= '' then
    redis.call('ZADD', key.tasks_by_session(task.session), task.seq, task.id)
  end
end
