-- What becomes of the unfinished tasks of a session when another is submitted (contract.md §5).
-- include: cancel begin_wait

-- The unfinished tasks of a session, oldest first, drafts among them: at most one more than `most`. An older
-- hub takes none off the list.
local function unfinished_in(session, most)
  local list, found, gone = key.unfinished_in_session(session), {}, 0
  for _, id in ipairs(redis.call('ZRANGE', list, 0, most)) do
    local status = redis.call('HGET', key.task(id), 'status')
    if not status or (status ~= 'draft' and is_ended(status)) then
      gone = gone + redis.call('ZREM', list, id)
    else
      found[#found + 1] = id
    end
  end
  return gone > 0 and unfinished_in(session, most) or found
end

-- The unfinished tasks of its session that a draft has to do with, and why it cannot be taken; nil if it can.
local function others_in(session, manner)
  if manner == 'beside' then return {} end
  local most = manner == 'refused' and 0 or manner == 'after' and FOLLOWED_MAX or INTERRUPTED_MAX
  local others = unfinished_in(session, most)
  if manner == 'refused' and others[1] then return nil, { 'busy', others[1] } end
  if #others > most then return nil, { 'crowded', most } end
  return others
end

-- Lets a draft wait for the end of others, drafts among them.
local function line_up(draft, others)
  for _, id in ipairs(others) do
    redis.call('HSET', key.task_after(draft), id, 'ended')
    redis.call('SADD', key.task_next(id), draft)
    redis.call('HSET', key.task(id), 'followed', 1)
  end
  redis.call('HSET', key.task(draft), 'unmet', #others)
  raise_schema()
end

-- Of how many that a draft follows the end is to come.
local function still_before(draft)
  local unmet = 0
  for _, on in ipairs(redis.call('HVALS', key.task_after(draft))) do
    if string.sub(on, 1, 1) ~= '=' then unmet = unmet + 1 end
  end
  redis.call('HSET', key.task(draft), 'unmet', unmet)
  return unmet
end
