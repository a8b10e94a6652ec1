-- `cargo xtask ci` writes the scripts into target/lua as Redis gets them, with their includes and the
-- names of their keys, and checks them there. Line numbers are those of these files.

-- Of Lua 5.1, what Redis offers and the scripts use; a name that is not here is a slip.
std = 'none'
read_globals = {
  'redis', 'cjson', 'cmsgpack', 'KEYS', 'ARGV',
  'ipairs', 'math', 'pairs', 'string', 'table', 'tonumber', 'type', 'unpack',
}

-- The build puts all names of keys on one line.
max_line_length = false

ignore = {
  -- The include `clock` works these two out together; some scripts need one, some only keep them.
  '231/clock', '311/is_back',
  -- The include `claim` notes there what an answer shows, for scripts that keep their answers.
  '241/apart',
}
