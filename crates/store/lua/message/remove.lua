-- Removes a message with all that belongs to it, and tells its readers. One of another session is
-- left alone.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Which.
--          session_id: SessionId  Its session.
-- Returns  ok(flag)             Whether it was there.
-- full: runs
-- include: content

local message = read_message()
if message and message.sid ~= session_id then return { 'ok', 0 } end
for _, cid in ipairs(redis.call('LRANGE', key.order(mid), 0, -1)) do
  if old_whole(cid) then redis.call('DEL', key.old_content(cid)) end
end
local removed = redis.call('DEL', key.message(mid))
redis.call('DEL', key.text(mid), key.blocks(mid), key.order(mid), key.tasks(mid),
  key.producers(mid), key.stream(session_id, mid))
if removed == 1 then redis.call('PUBLISH', key.live(mid), '0-0 gone {}') end
return { 'ok', removed }
