-- Adds up what was used lately by days, some at a time.
--
-- KEYS[1]  the cluster partition
-- ARGV     none
-- Returns  ok(bool)             There is more.
-- full: runs
-- include: numbers

-- Adds usage to a day, by fields. One for which there is no place goes to those that have none.
local function add_to_day(day, sums, most)
  local size, names, values = redis.call('HLEN', day), {}, {}
  for name in pairs(sums) do names[#names + 1] = name end
  local row = redis.call('HMGET', day, unpack(names))
  for i, name in ipairs(names) do
    local has, kind = row[i], string.sub(name, 1, 1)
    if not has and kind ~= 'o' and size >= most then
      name = kind .. TOO_MANY
      has = redis.call('HGET', day, name)
    elseif not has then
      size = size + 1
    end
    -- Several may have no place.
    values[name] = add_usage(values[name] or has and unpacked(has), sums[names[i]])
  end
  local fields = {}
  for name, used in pairs(values) do
    fields[#fields + 1] = name
    fields[#fields + 1] = packed(used)
  end
  redis.call('HSET', day, unpack(fields))
  redis.call('PEXPIRE', day, string.format('%.0f', USAGE_KEPT_MS), 'NX')
end

-- By day and owner, and by day: sums by field.
local found = redis.call('HRANDFIELD', key.spent_new, SPENT_BATCH, 'WITHVALUES')
local own, all, noted = {}, {}, {}
local function count(sums, name, used)
  sums[name] = add_usage(sums[name], used)
end
for i = 1, #found, 2 do
  local day, owner, user, node, group, model = string.match(found[i], '^(.-)\n(.-)\n(.-)\n(.-)\n(.-)\n(.*)$')
  local used = unpacked(found[i + 1])
  local of_owner, of_day = day .. '\n' .. owner, day
  own[of_owner], all[of_day] = own[of_owner] or {}, all[of_day] or {}
  for _, sums in ipairs({ own[of_owner], all[of_day] }) do
    count(sums, 'm' .. model, used)
    count(sums, 'u/' .. user, used)
    count(sums, 'n/' .. node, used)
    count(sums, 'g/' .. group, used)
  end
  count(all[of_day], 'o/' .. owner, used)
  noted[#noted + 1] = found[i]
end
for of_owner, sums in pairs(own) do
  local day, owner = string.match(of_owner, '^(.-)\n(.*)$')
  add_to_day(key.spent_by_owner(day, owner), sums, USAGE_FIELDS_MAX)
end
for day, sums in pairs(all) do add_to_day(key.spent(day), sums, USAGE_FIELDS_OF_ALL_MAX) end
if noted[1] then redis.call('HDEL', key.spent_new, unpack(noted)) end
return { 'ok', redis.call('EXISTS', key.spent_new) }
