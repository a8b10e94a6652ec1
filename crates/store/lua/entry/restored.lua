-- Notes in the journal that an older copy of it was restored, so that its entries from here on are
-- told from those that it had before. A journal without entries is left as it is.
--
-- KEYS[1]  the ledger partition
-- ARGV     3 when the copy was taken, as text ('' if nobody knows)
-- Returns  'ok', number of the entry (0 if there is none)
-- include: now journal

if not redis.call('HGET', key.ledger, 'entries') then return { 'ok', 0 } end
local memo = ARGV[3] == '' and 'an older copy' or 'the copy of ' .. ARGV[3]
return { 'ok', tonumber(post('restored', '', memo, {}, {})) }
