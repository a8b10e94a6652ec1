-- Appends to the cluster's event log. `payload` is JSON text. Redis makes the id where none is given.
-- include: now rfc3339

local function emit(event_type, payload, with_id)
  local id = redis.call('XADD', key.events, 'MAXLEN', '~', EVENTS_MAX, with_id or '*',
    'type', event_type, 'at', now, 'payload', payload)
  redis.call('PUBLISH', key.live_events, id .. ' ' .. event_type .. ' {"event_id":"' .. id
    .. '","event_type":"' .. event_type .. '","timestamp":"' .. rfc3339_ms(now)
    .. '","payload":' .. payload .. '}')
end

-- A text as a JSON string.
local function quoted(text)
  return cjson.encode(text)
end
