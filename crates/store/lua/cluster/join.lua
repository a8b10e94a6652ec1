-- Notes how a host is set while it is at work, and says which others are set otherwise.
--
-- KEYS[1]  the cluster partition
-- ARGV     3 host · 4 what people call it · 5 how long the note holds, in ms · 6 1 if the host stays,
--          0 if it ends · 7 its timeout in ms · 8 random text, for the name of a hub that has none yet
--          9 most hosts that are noted · 10… settings: name, value
-- Returns  'ok', name of the hub, then for each setting in which another host differs: name, own
--          value, its value, what people call it, since when it is noted (ms)
-- full: runs
-- include: now clock

local host, hold_ms = ARGV[3], tonumber(ARGV[5])

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
own.who, own.till, own.timeout, own.settings = ARGV[4], clock + hold_ms, tonumber(ARGV[7]), {}
for i = 10, #ARGV, 2 do own.settings[ARGV[i]] = ARGV[i + 1] end
-- One that ends is not compared any more, but its nodes keep its pace until they are told another.
if ARGV[6] == '0' then own.settings = {} end
if notes[host] or count < tonumber(ARGV[9]) then
  notes[host] = own
  redis.call('HSET', key.hosts, host, cmsgpack.pack(own))
end

-- The longest timeout decides (include timeout).
local longest = 0
for _, note in pairs(notes) do longest = math.max(longest, note.timeout) end
redis.call('HSET', key.cluster, 'timeout_ms', longest, 'timeout_until', clock + hold_ms)
redis.call('HSETNX', key.cluster, 'hub', ARGV[8])
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
