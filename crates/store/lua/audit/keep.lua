-- Keeps a seal of the cluster's chain of the audit.
--
-- KEYS[1]  the cluster partition
-- ARGV     number: int          Its number, from 0.
--          seal: text           The seal.
-- Returns  ok(flag)             Whether it is new.
-- full: runs
-- include: audit_read

return keep_audit_seal(number, seal)
