-- Reads a whole content block.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Of which message.
--          content_id: ContentId  Which.
-- Returns  ok(Owned<Box<RawValue>>)
--          not_found
-- include: content

local message = read_message()
if not message then return { 'not_found' } end
local row = redis.call('HMGET', key.blocks(mid), content_id, whole_field(content_id))
if not row[1] then return { 'not_found' } end
return { 'ok', message.owner, row[2] or old_whole(content_id) or row[1] }
