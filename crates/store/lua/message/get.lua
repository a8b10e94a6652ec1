-- Reads a message.
--
-- KEYS[1]  the message partition
-- ARGV     message_id: MessageId  Which.
--          bytes_max: Option<usize>
--                               Most bytes: a larger one is not read. `None` for any.
-- Returns  Fitting<>:
--          ok(Owned<Shown>)     The include `snapshot` says what it shows.
-- include: snapshot

local message = read_message()
if not message then return { 'not_found' } end
local most = tonumber(bytes_max)
if most and (message.is_complete and redis.call('HSTRLEN', key.message(mid), 'text')
  or redis.call('STRLEN', key.text(mid))) > most then
  return { 'large' }
end
local reply = { 'ok', message.owner }
if append_message(reply) > (most or math.huge) then return { 'large' } end
return reply
