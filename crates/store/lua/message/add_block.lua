-- Adds a content block.
--
-- KEYS[1]  the message partition
-- ARGV     once
--          message_id: MessageId  To which message.
--          author: Author<'a>   Who asks.
--          content_id: ContentId  The block's id.
--          is_made_id: flag     The hub has made that id: old readers may find the block under it alone.
--          shown: text          The block as the snapshot holds it: its members as JSON, without braces.
--          whole: text?         The whole block if that is not it, in the same way.
--          ttl_ms: int          How long the message is kept after a write, in milliseconds.
-- Returns  Written<Added>:
--          ok(sequence: int)    It stands there; the last event's number.
--          exists               The id is in use.
--          too_many_blocks      The message has as many blocks as it may have.
-- Emits    content_added
-- include: expiring once content

local function run()
  local message = read_message()
  local refused = refusal(message, author)
  if refused then return { refused } end
  if redis.call('HEXISTS', key.blocks(mid), content_id) == 1 then return { 'exists' } end
  if redis.call('LLEN', key.order(mid)) >= BLOCKS_MAX then return { 'too_many_blocks' } end
  local block = put_block(content_id, shown, whole, is_made_id == '1')
  redis.call('RPUSH', key.order(mid), content_id)
  emit(message, 'content_added', block)
  settle(message, ttl_ms, true)
  return { 'ok', message.sequence }
end

return once(run)
