-- Lists open waits, newest first; or all that are kept of one task.
--
-- KEYS[1]  the cluster partition
-- ARGV     writer: Writer<'a>   Who asks: those that are its own, or that it may answer.
--          kind: text           Only those of this kind; empty: all.
--          assignee: text       Only those that this agent may answer; empty: all.
--          limit: int           Most waits.
--          below: int?          [`Page::next`] of the page before.
--          filled: int          Bytes that the steps before have listed.
-- Returns  ok(Page<Wait>)
-- include: wait walk

local function is_wanted(id)
  local row = redis.call('HMGET', key.wait(id), 'kind', 'assignees')
  if kind ~= '' and row[1] ~= kind then return false end
  if assignee == '' then return true end
  for _, agent in ipairs(cjson.decode(row[2])) do
    if agent == assignee then return true end
  end
  return false
end

local index = writer == '' and key.open_waits or key.waits_of(writer)
local filters = kind ~= '' or assignee ~= ''
return walk_one(index, filters and is_wanted, { limit, below, LIST_SCAN_MAX, filled = filled },
  { 'ok', '', 0 }, append_wait)
