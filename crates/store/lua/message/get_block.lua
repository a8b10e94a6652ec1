-- Reads a whole content block.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 content id
-- Returns  'ok', owner, block (JSON) · 'not_found'
-- include: foreign message content

local message = read_message()
if not message then return { 'not_found' } end
local cid = ARGV[4]
local row = redis.call('HMGET', key.blocks(mid), cid, whole_field(cid))
if not row[1] then return { 'not_found' } end
return { 'ok', message.owner, row[2] or old_whole(cid) or row[1] }
