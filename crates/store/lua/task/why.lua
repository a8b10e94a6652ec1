-- Says why a task is not running.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 task id
-- Returns  'ok', owner, status, when it is due ('' now), tasks before it in the queue, nodes with
--          all its skills that are its audience's (at most 1000), of these online (likewise), of
--          these with room (likewise), nodes with all its skills whose ever they are ('' where it is
--          for everybody), then for each required skill: skill, nodes with it, of these online
--          'not_found'
-- include: now clock event queue node routable

local id = ARGV[3]
local task = read_task(id)
if not task then return { 'not_found' } end
local wants, due = unpack(redis.call('HMGET', key.task(id), 'wants', 'scheduled_at'))
wants = cjson.decode(wants)
local required, agents = wants[1], wants[4]
local is_delayed = redis.call('ZSCORE', key.delayed_tasks, id)
local reply = { 'ok', task.owner, task.status, is_delayed and due or '',
  redis.call('ZRANK', key.waiting_tasks, id) or 0,
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
