-- Takes the signals that a running task has got, oldest first.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          task_id: TaskId      Which.
--          writer: Writer<'a>   Who asks.
--          token: Token         The claim's token.
--          name: text           Only those of this name; empty: all.
-- Returns  Written<>:
--          ok(Vec<Signal>)
-- full: runs
-- include: records once claim

local function run()
  local task = read_task(task_id)
  local refused = claim_refusal(task, token, writer)
  keep_clock()
  if refused then return { refused } end
  local list, reply = key.task_signals(task_id), { 'ok' }
  for _, packed in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local signal = cmsgpack.unpack(packed)
    if name == '' or signal[1] == name then
      redis.call('LREM', list, 1, packed)
      recount(task, -#packed)
      local n = #reply
      reply[n + 1], reply[n + 2], reply[n + 3] = signal[1], signal[2], signal[3]
    end
  end
  return reply
end

return once(run)
