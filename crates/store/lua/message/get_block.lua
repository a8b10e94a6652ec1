-- Reads a whole content block.
--
-- KEYS[1]  the message partition
-- ARGV     3 message · 4 content id
-- Returns  'ok', owner, block (JSON) · 'not_found'
-- include: now message

local message = read_message()
if not message then return { 'not_found' } end
local cid = ARGV[4]
local shown = redis.call('HGET', key.blocks(mid), cid)
if not shown then return { 'not_found' } end
return { 'ok', message.owner, redis.call('HGET', key.content(cid), 'block') or shown }
