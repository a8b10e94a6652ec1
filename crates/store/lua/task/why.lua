-- Says why a task is not running.
--
-- KEYS[1]  the cluster partition
-- Call     AskWhy
-- ARGV     task_id: TaskId      Which.
-- Returns  ok(Obstacles)
--          not_found
-- include: node routable limit

local task = read_task(task_id)
if not task then return { 'not_found' } end
local wants, due, kind, fair_ms = unpack(redis.call('HMGET', key.task(task_id), 'wants', 'scheduled_at', 'kind',
  'fair_ms'))
wants = read_wants(wants)
local required, is_for_some = wants[1], wants[4] or wants[5]
local waits_for = task.status == 'waiting' and task.wait
  and redis.call('HMGET', key.wait(task.wait), 'kind', 'expires_at') or {}
local is_delayed = redis.call('ZSCORE', key.delayed_tasks, task_id)
local reply = { 'ok', task.owner, task.status, is_delayed and due or waits_for[2] or '',
  redis.call('ZRANK', key.waiting_tasks, task_id) or 0,
  count_able(wants, key.by_skill, key.nodes, WHY_NODES_MAX),
  count_able(wants, key.online_by_skill, key.by_status('online'), WHY_NODES_MAX),
  count_able(wants, key.online_by_skill, key.available, WHY_NODES_MAX),
  is_for_some and count_nodes(required, key.by_skill, key.nodes, WHY_NODES_MAX) or '',
  wants[5] or '', wants[5] and (redis.call('HGET', key.node(wants[5]), 'status') or '') or '',
  waits_for[1] or '' }
-- What keeps all such tasks back: the limit that is shut, by what and until when; what is paused.
local is_queued = task.status == 'pending' and not is_delayed
local function kept_back()
  if is_queued and wants[6] then
    return shut_use({ nil, nil, nil, nil, task.owner, nil, nil, wants[6] })
  end
end
local _, till, by, under = kept_back()
local n = #reply
reply[n + 1], reply[n + 2] = under and under[1] or '', by or ''
reply[n + 3] = till and till < math.huge and string.format('%.0f', now + math.ceil(till - clock)) or ''
reply[n + 4] = is_queued and redis.call('HGET', key.queue_audiences, PAUSED) or ''
reply[n + 5] = kind or ''
reply[n + 6] = fair_ms or ''
for _, skill in ipairs(required) do
  reply[#reply + 1] = skill
  reply[#reply + 1] = redis.call('ZCARD', key.by_skill(skill))
  reply[#reply + 1] = redis.call('ZCARD', key.online_by_skill(skill))
end
return reply
