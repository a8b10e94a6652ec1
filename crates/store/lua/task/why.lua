-- Says why a task is not running.
--
-- KEYS[1]  the cluster partition
-- Call     AskWhy
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Obstacles)
--          not_found
-- include: node routable

local task = read_task(task_id)
if not task then return { 'not_found' } end
local wants, due = unpack(redis.call('HMGET', key.task(task_id), 'wants', 'scheduled_at'))
wants = read_wants(wants)
local required, is_for_some = wants[1], wants[4] or wants[5]
local is_delayed = redis.call('ZSCORE', key.delayed_tasks, task_id)
local reply = { 'ok', task.owner, task.status, is_delayed and due or '',
  redis.call('ZRANK', key.waiting_tasks, task_id) or 0,
  count_able(wants, key.by_skill, key.nodes, WHY_NODES_MAX),
  count_able(wants, key.online_by_skill, key.by_status('online'), WHY_NODES_MAX),
  count_able(wants, key.online_by_skill, key.available, WHY_NODES_MAX),
  is_for_some and count_nodes(required, key.by_skill, key.nodes, WHY_NODES_MAX) or '',
  wants[5] or '', wants[5] and (redis.call('HGET', key.node(wants[5]), 'status') or '') or '' }
for _, skill in ipairs(required) do
  reply[#reply + 1] = skill
  reply[#reply + 1] = redis.call('ZCARD', key.by_skill(skill))
  reply[#reply + 1] = redis.call('ZCARD', key.online_by_skill(skill))
end
return reply
