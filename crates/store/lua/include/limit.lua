-- Limits: how many tasks run at once, or begin within a time, for what they share (contract.md §5). What
-- a task counts against is a *use*: a limit, an owner where each has its own, and a key. A class whose tasks
-- are under limits is parked while one of these is shut: it stands in no list that a claim looks at, and
-- costs none anything, until whatever shut it opens again.
-- include: queue

-- By its name; false if there is none. A task is under `{ limit, key, cost, tokens }`.
local limits = {}
local function read_limit(name)
  if limits[name] == nil then
    local row = redis.call('HMGET', key.limit(name), 'concurrency', 'rates', 'paused', 'per_owner')
    limits[name] = row[2] and { most = tonumber(row[1]), rates = cjson.decode(row[2]),
      paused = row[3] == '1', per_owner = row[4] == '1' }
  end
  return limits[name]
end

local function use_of(under, owner)
  local limit = read_limit(under[1])
  return under[1] .. '/' .. (limit and limit.per_owner and owner or '') .. '/' .. under[2]
end

-- How a use stands: how many hold it, until when a provider wants to be left alone, and for each rate the
-- time at which all that has begun would have begun at an even pace (GCRA).
local uses = {}
local function standing_of_use(use, limit)
  local standing = uses[use]
  if standing then return standing end
  local fields = { 'shut_until' }
  for i, rate in ipairs(limit.rates) do fields[i + 1] = rate[1] .. '/' .. rate[2] end
  local row = redis.call('HMGET', key.limit_use(use), unpack(fields))
  standing = { held = limit.most and redis.call('SCARD', key.limit_held(use)) or 0,
    shut_until = tonumber(row[1]) or 0 }
  for i = 1, #limit.rates do standing[i] = tonumber(row[i + 1]) or 0 end
  uses[use] = standing
  return standing
end

-- By how much a task moves a rate (unit, ms, count) on, in ms. One that is larger than the whole rate
-- begins where nothing else has.
local function share_of(rate, under)
  local amount = rate[1] == 'tokens' and under[4] or under[3]
  return math.min(rate[2] / rate[3] * amount, rate[2])
end

-- Until when a use is shut for a task, and by what; nil if it is open. math.huge: until a task gives it back,
-- or the limit is changed.
local function shut_till(under, use)
  local limit = read_limit(under[1])
  if not limit then return nil end
  if limit.paused then return math.huge, 'paused' end
  local standing = standing_of_use(use, limit)
  if limit.most and standing.held >= limit.most then return math.huge, 'concurrency' end
  local till, by = standing.shut_until, 'penalty'
  for i, rate in ipairs(limit.rates) do
    local opens = standing[i] - rate[2] + share_of(rate, under)
    if opens > till then till, by = opens, 'rate' end
  end
  if till > clock then return till, by end
end

-- The first use of a class that is shut, until when, by what, and the limit; nil if all are open.
local function shut_use(record)
  for _, under in ipairs(record[8] or {}) do
    local use = use_of(under, record[5])
    local till, by = shut_till(under, use)
    if till then return use, till, by, under end
  end
end

local function keep_use(use, standing)
  local latest = standing.shut_until
  for i = 1, #standing do latest = math.max(latest, standing[i]) end
  redis.call('PEXPIRE', key.limit_use(use),
    string.format('%.0f', math.max(latest - clock, 0) + LIMIT_USE_KEPT_MS))
end

-- Opens a use later, or at once.
local function open_at(use, till)
  redis.call('ZADD', key.limits_opening, 'LT', string.format('%.0f', math.ceil(till)), use)
end

-- Lists some of the classes again that are parked for a use, the first by rank first, while it is open.
-- The next step goes on with the others.
local function open_use(use)
  for _ = 1, OPENED_CLASSES do
    local class = redis.call('ZRANGE', key.limit_parked(use), 0, 0)[1]
    local record, till = class and read_class(class), nil
    for _, under in ipairs(record and record[8] or {}) do
      if use_of(under, record[5]) == use then till = shut_till(under, use) end
    end
    if till and till < math.huge then open_at(use, till) end
    if not class or till then return end
    redis.call('ZREM', key.limit_parked(use), class)
    redis.call('HDEL', key.parked_classes, class)
    show_head(class)
    if record then tell_class_open(labels_json(record[2]), record[7]) end
  end
  if redis.call('EXISTS', key.limit_parked(use)) == 1 then open_at(use, clock) end
end

-- Opens some uses whose time has come. How many there were.
local function open_due(most)
  local due = redis.call('ZRANGEBYSCORE', key.limits_opening, '-inf', clock, 'LIMIT', 0, most)
  for _, use in ipairs(due) do
    redis.call('ZREM', key.limits_opening, use)
    open_use(use)
  end
  return #due
end
