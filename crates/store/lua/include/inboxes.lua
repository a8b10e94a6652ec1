-- The index of inboxes: which there are, by when mail last came there or was acknowledged. It is in another
-- partition than the inboxes, so that it knows of each what its last note has said.
-- include: now

-- Notes that there is an inbox of this name.
local function note_inbox(name)
  redis.call('ZADD', key.inboxes, string.format('%.0f', now * 1000 + micros % 1000), name)
  -- An inbox that nobody has written to for so long is gone.
  local till = string.format('%.0f', (now - INBOX_TTL_MS) * 1000)
  local gone = redis.call('ZRANGEBYSCORE', key.inboxes, '-inf', till, 'LIMIT', 0, 5)
  if gone[1] then redis.call('ZREM', key.inboxes, unpack(gone)) end
end
