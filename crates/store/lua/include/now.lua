-- What Redis TIME says, in ms: for showing, and where nothing is decided by it.
local time = redis.call('TIME')
local micros = tonumber(time[2])
local now = tonumber(time[1]) * 1000 + math.floor(micros / 1000)
