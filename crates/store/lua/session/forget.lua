-- Takes messages off a session's list, after they are gone.
--
-- KEYS[1]  the session partition
-- ARGV     session_id: SessionId  Which session.
--          message_ids: MessageId*  Which messages: at least one.
-- Returns  ok(int)              How many were listed.
-- full: runs

return { 'ok', redis.call('ZREM', key.session_messages(session_id), unpack(message_ids)) }
