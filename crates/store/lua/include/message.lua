-- A message in Redis, and the one way to change it: event, sequence number and snapshot together.
-- include: now rfc3339

local mid = ARGV[3]

local function read_message()
  local row = redis.call('HMGET', key.message(mid), 'session_id', 'sequence', 'is_complete',
    'owner', 'runner', 'text_json', 'claim', 'kept_until')
  if not row[1] then return nil end
  return { sid = row[1], sequence = tonumber(row[2]), is_complete = row[3] == '1', owner = row[4],
    runner = row[5], text_json = tonumber(row[6] or nil), claim = row[7],
    kept_until = tonumber(row[8] or nil) }
end

-- Claims are numbered; a token begins with its claim's number. A claim that is over leaves nothing
-- but that in the message.
local function claim_number(token)
  return tonumber(string.match(token or '', '^%d+')) or 0
end

-- Why a message cannot be written; nil if it can. `author` is a caller ('' may write to all), behind
-- a slash the token of the claim under which it writes. Beside its owner whoever runs its task may
-- write to it, under the token, for as long as the claim is not over. (A runner of before tokens
-- were noted has none.)
local function refusal(message, author)
  if not message then return 'not_found' end
  local caller, token = string.match(author, '^([^/]*)/?(.*)$')
  if caller ~= '' and message.owner ~= caller then
    if message.runner ~= caller then return 'forbidden' end
    if token == '' and message.claim then return 'needs_token' end
  end
  -- What is left of a claim that is over is no token.
  local is_token = message.claim == token and string.find(token, '-', 1, true)
  if token ~= '' and not is_token and (message.claim or not message.runner) then
    return 'claim_over'
  end
  if message.is_complete then return 'complete' end
end

-- Appends an event. `payload` is JSON text. An event's id carries its sequence.
local function emit(message, event_type, payload)
  message.sequence = message.sequence + 1
  local data = '{"event_id":"evt_' .. mid .. '_' .. message.sequence .. '","event_type":"'
    .. event_type .. '","message_id":"' .. mid .. '","session_id":"' .. message.sid
    .. '","sequence":' .. message.sequence .. ',"payload":' .. payload .. ',"timestamp":"'
    .. rfc3339_ms(now) .. '"}'
  local id = redis.call('XADD', key.stream(message.sid, mid), 'MAXLEN', MESSAGE_EVENTS_MAX, '*',
    'type', event_type, 'event', data)
  redis.call('PUBLISH', key.live(mid), id .. ' ' .. event_type .. ' ' .. data)
end

-- Appends a text as text_delta: one, or several where one would be too large. `json` is the text as
-- JSON. No character is cut in two.
local function emit_text(message, text, json)
  if #json <= EVENT_BYTES_MAX then return emit(message, 'text_delta', '{"delta":' .. json .. '}') end
  local from = 1
  while from <= #text do
    local to = math.min(from + TEXT_PIECE_BYTES, #text + 1)
    while to <= #text and math.floor(string.byte(text, to) / 64) == 2 do to = to - 1 end
    emit(message, 'text_delta', '{"delta":' .. cjson.encode(string.sub(text, from, to - 1)) .. '}')
    from = to
  end
end

-- Closes a change: what the events have counted, and the time for which all of it is kept. That is a
-- little longer than asked for, so that most writes need not give every key its time anew; `has_made`:
-- a key may be there that was not there before.
local function settle(message, ttl_ms, has_made)
  ttl_ms = tonumber(ttl_ms)
  local kept_ms = math.floor(ttl_ms + ttl_ms / KEPT_LONGER)
  local left = (message.kept_until or 0) - now
  if left >= ttl_ms and left <= kept_ms and not has_made then
    redis.call('HSET', key.message(mid), 'sequence', message.sequence, 'updated_at', now,
      'text_json', message.text_json or 0)
    return
  end
  redis.call('HSET', key.message(mid), 'sequence', message.sequence, 'updated_at', now,
    'text_json', message.text_json or 0, 'kept_until', now + kept_ms)
  redis.call('PEXPIRE', key.message(mid), kept_ms)
  redis.call('PEXPIRE', key.text(mid), kept_ms)
  redis.call('PEXPIRE', key.stream(message.sid, mid), kept_ms)
  -- Not all messages have these.
  redis.call('PEXPIRE', key.producers(mid), kept_ms)
  redis.call('PEXPIRE', key.blocks(mid), kept_ms)
  redis.call('PEXPIRE', key.order(mid), kept_ms)
  redis.call('PEXPIRE', key.tasks(mid), kept_ms)
end

-- A text as a JSON string.
local function quoted(text)
  return cjson.encode(text)
end
