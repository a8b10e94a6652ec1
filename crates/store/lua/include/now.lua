-- What Redis TIME says, in ms: for showing, and where nothing is decided by it.
local time = redis.call('TIME')
local micros = tonumber(time[2])
local now = tonumber(time[1]) * 1000 + math.floor(micros / 1000)

-- Parts of a reply that lie elsewhere and do not change there, by their place in it: once keeps where
-- they are and not what they are (include claim).
local apart = {}

-- Where claims are handed out these say what to keep in its place, and what it was.
local keep_apart

local read_apart
