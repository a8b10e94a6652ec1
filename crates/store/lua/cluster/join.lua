-- Notes how a host is set, for as long as it comes again every few seconds, and says which others are
-- set otherwise.
--
-- KEYS[1]  the cluster partition
-- ARGV     host: text           The host: different for each process.
--          who: text            What people call it.
--          stays: flag          It goes on; one that ends is not compared any more.
--          timeout_ms: int      Its heartbeat timeout, in milliseconds.
--          period_ms: int       The longest heartbeat period under it, in milliseconds. Nodes keep a
--                               host's pace until another one has told them its own.
--          random: text         A random text, for the name of a hub that has none yet.
--          settings: text*      Settings in which hosts must agree: name and value of each.
-- Returns  ok(Joined)
-- full: runs
-- include: clock

local hold_ms = (stays == '1' and HOST_NOTE_MS or 0) + period_ms

local function note_of(text)
  local fits, note = pcall(cmsgpack.unpack, text)
  return fits and type(note) == 'table' and note.till and note or nil
end

-- The hosts at work, by name; those that are not any more are forgotten.
local function at_work()
  local notes, count = {}, 0
  local kept = redis.call('HGETALL', key.hosts)
  for i = 1, #kept, 2 do
    local note = note_of(kept[i + 1])
    if not note or note.till <= clock then
      redis.call('HDEL', key.hosts, kept[i])
    else
      notes[kept[i]], count = note, count + 1
    end
  end
  return notes, count
end

local notes, count = at_work()
local own = notes[host] or { since = now }
own.who, own.till, own.timeout, own.settings = who, clock + hold_ms, tonumber(timeout_ms), {}
for i = 1, #settings, 2 do own.settings[settings[i]] = settings[i + 1] end
-- One that ends is not compared any more, but its nodes keep its pace until they are told another.
if stays == '0' then own.settings = {} end
if notes[host] or count < HOSTS_MAX then
  notes[host] = own
  redis.call('HSET', key.hosts, host, cmsgpack.pack(own))
end

-- The longest timeout decides (include timeout).
local longest = 0
for _, note in pairs(notes) do longest = math.max(longest, note.timeout) end
redis.call('HSET', key.cluster, 'timeout_ms', longest, 'timeout_until', clock + hold_ms)
redis.call('HSETNX', key.cluster, 'hub', random)
keep_clock()

local names = {}
for name in pairs(notes) do names[#names + 1] = name end
table.sort(names)
local reply = { 'ok', redis.call('HGET', key.cluster, 'hub') }
for setting, value in pairs(own.settings) do
  for _, name in ipairs(names) do
    local other = notes[name].settings[setting]
    if other and other ~= value then
      local n = #reply
      reply[n + 1], reply[n + 2], reply[n + 3] = setting, value, other
      reply[n + 4], reply[n + 5] = notes[name].who, notes[name].since
      break
    end
  end
end
return reply
