-- Says why a task is not running.
--
-- KEYS[1]  the cluster partition
-- Call     AskWhy
-- ARGV     task_id: text        Which.
-- Returns  ok(Obstacles)
--          not_found
-- include: node routable

local task = read_task(task_id)
if not task then return { 'not_found' } end
local wants, due = unpack(redis.call('HMGET', key.task(task_id), 'wants', 'scheduled_at'))
wants = cjson.decode(wants)
local required, agents = wants[1], wants[4]
local is_delayed = redis.call('ZSCORE', key.delayed_tasks, task_id)
local reply = { 'ok', task.owner, task.status, is_delayed and due or '',
  redis.call('ZRANK', key.waiting_tasks, task_id) or 0,
  count_nodes_of(agents, required, key.by_skill, key.nodes, WHY_NODES_MAX),
  count_nodes_of(agents, required, key.online_by_skill, key.by_status('online'), WHY_NODES_MAX),
  count_nodes_of(agents, required, key.online_by_skill, key.available, WHY_NODES_MAX),
  agents and count_nodes(required, key.by_skill, key.nodes, WHY_NODES_MAX) or '' }
for _, skill in ipairs(required) do
  reply[#reply + 1] = skill
  reply[#reply + 1] = redis.call('ZCARD', key.by_skill(skill))
  reply[#reply + 1] = redis.call('ZCARD', key.online_by_skill(skill))
end
return reply
