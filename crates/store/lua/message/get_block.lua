-- Reads a whole content block.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Of which message.
--          content_id: ContentId  Which.
-- Returns  ok(Owned<Text>)      As JSON.
--          not_found
-- include: content apart

local message = read_message()
if not message then return { 'not_found' } end
local blocks, whole = key.blocks(mid), whole_field(content_id)
if redis.call('HEXISTS', blocks, content_id) == 0 then return { 'not_found' } end
local reply = { 'ok', message.owner }
local old = redis.call('HEXISTS', blocks, whole) == 0 and old_whole(content_id)
if old then
  reply[3], reply[4] = old, 0
else
  append_value(reply, blocks, redis.call('HEXISTS', blocks, whole) == 1 and whole or content_id)
end
return reply
