-- Reads what was used on a day.
--
-- KEYS[1]  the cluster partition
-- ARGV     day: text            `2026-03-01`, in UTC; empty: today.
--          owner: text          Whose tasks'; empty: all owners'.
--          by: text             By what it was added up, as the first letter of model, user, node, group or owner.
-- Returns  ok(SpentOn)
-- include: now rfc3339

if day == '' then day = string.sub(rfc3339(now), 1, 10) end
local all = redis.call('HGETALL', owner == '' and key.spent(day) or key.spent_by_owner(day, owner))
local reply = { 'ok', day }
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 1) == by then
    local n = #reply
    reply[n + 1], reply[n + 2] = string.sub(all[i], 2), all[i + 1]
  end
end
return reply
