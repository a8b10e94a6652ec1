-- One bound in bytes for every answer that lists or takes things: a component has 64 MB of memory,
-- and while it answers, an answer is there several times. At least one thing always fits, since
-- none is larger than the bounds of what callers send.

local spent = 0

-- How much of that the steps before have listed, in a step.
local begun = nil

-- Begins a step of a page, of which so many bytes are listed already.
local function begin_step(filled)
  spent = tonumber(filled)
  begun = spent
end

-- Whether the step has listed as much as one should: the page goes on with the next.
local function is_step_full() return begun and spent - begun >= STEP_BYTES end

-- Ends the page with this step, as if it had no room for more.
local function end_page()
  if begun then spent = math.max(spent, REPLY_BYTES) end
end

-- Whether the reply has room for so many bytes more; if so, they count as spent.
local function has_room(bytes)
  if spent > 0 and spent + bytes > REPLY_BYTES then
    end_page()
    return false
  end
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
