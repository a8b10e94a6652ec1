-- include: foreign message

-- Content that is too large for the snapshot: it lies under its message, so that no other message's
-- block of the same id can be taken for it.
local function whole_field(cid)
  return cid .. ':whole'
end

-- A block under its id, of members that are JSON without braces.
local function block_of(cid, members)
  return '{"content_id":"' .. cid .. '",' .. members .. '}'
end

-- Old readers find a copy under the content id alone, where the hub made that id.
local function keep_whole(cid, block, has_copy)
  redis.call('HSET', key.blocks(mid), whole_field(cid), block)
  if has_copy then
    foreign('HSET', key.old_content(cid), 'message_id', mid, 'block', block)
    redis.call('PEXPIRE', key.old_content(cid), CONTENT_TTL_MS)
  end
end

-- Stores a block as the snapshot holds it, and in whole where that is not all (members, '' where it
-- is). Returns what the snapshot holds.
local function put_block(cid, shown, whole, has_copy)
  if whole ~= '' then
    keep_whole(cid, block_of(cid, whole), has_copy)
    shown = shown .. ',"ref":"/api/v1/messages/' .. mid .. '/content/' .. cid .. '"'
  end
  local block = block_of(cid, shown)
  redis.call('HSET', key.blocks(mid), cid, block)
  return block
end

-- What stands under a content id alone and is of this message: a copy, or the block itself where an
-- older version wrote it.
local function old_whole(cid)
  local row = foreign('HMGET', key.old_content(cid), 'message_id', 'block')
  return row and row[1] == mid and row[2]
end
