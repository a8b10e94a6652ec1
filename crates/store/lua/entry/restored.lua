-- Notes in the journal that an older copy of it was restored, so that its entries from here on are
-- told from those that it had before. A journal without entries is left as it is.
--
-- KEYS[1]  the ledger partition
-- ARGV     audit
--          taken_at: text?      When the copy was taken; `None`: nobody knows.
-- Returns  ok(int)              Number of the entry; 0 if there is none.
-- include: journal audit

if redis.call('EXISTS', key.audit_head) == 1 then
  audit('hub.restore', 'ledger', nil, facts('taken_at', taken_at))
end
if not redis.call('HGET', key.ledger, 'entries') then return { 'ok', 0 } end
local memo = taken_at == '' and 'an older copy' or 'the copy of ' .. taken_at
return { 'ok', tonumber(post('restored', '', memo, {}, {})) }
