-- A command on a key that old clients write, too. Some of their versions use one name for two
-- types; that must cost what stands in that key, and nothing else. False when it failed.
local function foreign(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return false end
  return reply
end
