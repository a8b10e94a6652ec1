-- include: foreign message

-- Content that is too large for the snapshot: it lies under its message, so that no other message's
-- block of the same id can be taken for it.
local function whole_field(cid)
  return cid .. ':whole'
end

-- Old readers find a copy under the content id alone, where the hub made that id.
local function keep_whole(cid, block, copy_ttl_ms)
  redis.call('HSET', key.blocks(mid), whole_field(cid), block)
  if copy_ttl_ms ~= '' then
    foreign('HSET', key.old_content(cid), 'message_id', mid, 'block', block)
    redis.call('PEXPIRE', key.old_content(cid), copy_ttl_ms)
  end
end

-- What stands under a content id alone and is of this message: a copy, or the block itself where an
-- older version wrote it.
local function old_whole(cid)
  local row = foreign('HMGET', key.old_content(cid), 'message_id', 'block')
  return row and row[1] == mid and row[2]
end
