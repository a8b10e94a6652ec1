-- `cargo xtask ci` writes the scripts into target/lua as Redis gets them, with their includes and the
-- names of their keys, and checks them there. Line numbers are those of these files.

-- What scripts may use of Lua 5.1, and what Redis adds.
std = 'none'
read_globals = {
  'redis', 'cjson', 'cmsgpack', 'KEYS', 'ARGV',
  'error', 'ipairs', 'math', 'next', 'pairs', 'pcall', 'select', 'string', 'table', 'tonumber',
  'tostring', 'type', 'unpack',
}

-- The build puts all names of keys on one line.
max_line_length = false

ignore = {
  -- The include `clock` works these two out together; some scripts need one, some only keep them.
  '231/clock', '311/is_back',
  -- The include `claim` notes there what an answer shows, for scripts that keep their answers.
  '241/apart',
  -- What the include `once` asks of it, where a script has one of the two and not the other.
  '211/keep_apart', '211/read_apart', '221/keep_apart', '221/read_apart',
}
