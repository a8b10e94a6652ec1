-- Idempotency (contract.md §1). ARGV[1] names the caller, route and idempotency key ('' for none),
-- ARGV[2] is the request's fingerprint. The answer is stored in the same script as the effect;
-- what asks the caller to try again with something else ('id_collision'), to wait for somebody's repair
-- ('altered'), or to make room first ('quota'), is none. How long it is kept, the include before this
-- one says: records or expiring.
-- include: now

local NO_ANSWER = { id_collision = true, altered = true, quota = true }

local function once(run, keeps)
  if ARGV[1] == '' then return run() end
  local record = key.idempotency(ARGV[1])
  local stored = redis.call('GET', record)
  if stored then
    local first = cmsgpack.unpack(stored)
    if first[1] ~= ARGV[2] then return { 'idempotency_mismatch' } end
    first[1] = 'replayed'
    for at = 2, #first do
      if type(first[at]) == 'table' then first[at] = read_apart(first[at]) end
    end
    return first
  end
  local reply = run()
  if NO_ANSWER[reply[1]] or (keeps and not keeps(reply)) then return reply end
  local kept = { ARGV[2], unpack(reply) }
  for at, part in pairs(apart) do
    local text = reply[at]
    if text and #text > ANSWER_PART_BYTES then kept[at + 1] = keep_apart(part) end
  end
  keep_record(record, cmsgpack.pack(kept))
  return reply
end

-- The same for what takes something out of a queue: that there was nothing is not kept, since a
-- repeat may find something.
local function once_unless_empty(run)
  return once(run, function(reply) return #reply > 1 end)
end
