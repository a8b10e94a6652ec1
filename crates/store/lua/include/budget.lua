-- One bound in bytes for every answer that lists or takes things: a component has 64 MB of memory,
-- and while it answers, an answer is there several times. At least one thing always fits, since
-- none is larger than the bounds of what callers send.

local spent = 0

-- Whether the reply has room for so many bytes more; if so, they count as spent.
local function has_room(bytes)
  if spent > 0 and spent + bytes > REPLY_BYTES then return false end
  spent = spent + bytes
  return true
end

-- Adds a thing to a reply by `append`, which says how many bytes it has (false: there is none).
-- Returns true, nil where there is none, and false, with the reply as it was, without room.
local function add(reply, append, id)
  local before = #reply
  local bytes = append(reply, id)
  if not bytes then return nil end
  if has_room(bytes) then return true end
  for i = #reply, before + 1, -1 do reply[i] = nil end
  return false
end
