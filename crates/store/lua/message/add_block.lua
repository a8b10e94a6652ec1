-- Adds a content block.
--
-- KEYS[1]  the message partition
-- ARGV     1-2 idempotency · 3 message · 4 author (include message) · 5 content id
--          6 block as the snapshot holds it (JSON) · 7 the whole block if that is not it (JSON, '')
--          8 TTL in ms · 9 TTL of the copy for old readers in ms ('' for no copy) · 10 most blocks
-- Returns  'ok', sequence · 'exists' · 'too_many_blocks' · 'not_found' · 'forbidden' · 'complete'
--          'needs_token' · 'claim_over'
-- Emits    content_added
-- include: now foreign rfc3339 expiring once message content

local cid = ARGV[5]

local function run()
  local message = read_message()
  local refused = refusal(message, ARGV[4])
  if refused then return { refused } end
  if redis.call('HEXISTS', key.blocks(mid), cid) == 1 then return { 'exists' } end
  if redis.call('LLEN', key.order(mid)) >= tonumber(ARGV[10]) then
    return { 'too_many_blocks' }
  end
  redis.call('HSET', key.blocks(mid), cid, ARGV[6])
  redis.call('RPUSH', key.order(mid), cid)
  if ARGV[7] ~= '' then keep_whole(cid, ARGV[7], ARGV[9]) end
  emit(message, 'content_added', ARGV[6])
  settle(message, ARGV[8])
  return { 'ok', message.sequence }
end

return once(run)
