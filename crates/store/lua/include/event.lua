-- Appends to the cluster's event log. `payload` is JSON text.
local EVENTS_MAX = 10000

local function emit(event_type, payload)
  redis.call('XADD', key.events, 'MAXLEN', '~', EVENTS_MAX, '*',
    'type', event_type, 'at', now, 'payload', payload)
end

-- A text as a JSON string.
local function quoted(text)
  return cjson.encode(text)
end
