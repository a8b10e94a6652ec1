//! A script's code as Redis takes it. The build reads this file, too, for the hashes.

/// What stands behind the name of the function that checks a key first.
pub(crate) const WITH_KEY: &str = "_with_key";

/// What the second function of a library does: `check` says whose the key is that the last six
/// arguments are about; the script runs only where that is what the caller remembers of it. What the
/// check found of the key's rate follows the script's reply.
const CHECKED: &str = "\
local function checked(keys, arguments)
local n = #arguments
local found = check({ keys[2] }, { '', '', arguments[n - 5], arguments[n - 4], arguments[n - 3], arguments[n - 2] })
if found[1] ~= 'ok' or found[2] ~= arguments[n - 1] or found[3] ~= arguments[n] then
return { 'not_admitted' }
end
for i = n, n - 5, -1 do arguments[i] = nil end
local reply = script({ keys[1] }, arguments)
if not reply.err then reply[#reply + 1] = found[4] end
return reply
end
";

/// What stands behind the name of the function that runs a script for each of its keys.
pub(crate) const EACH: &str = "_each";

/// What that function does: each key has as many arguments as any other. Before each reply stands how
/// many elements it has.
const FOR_EACH: &str = "\
local function each(keys, arguments)
local count, all = #arguments / #keys, {}
for i = 1, #keys do
local own = {}
for j = 1, count do own[j] = arguments[(i - 1) * count + j] end
local reply, n = script({ keys[i] }, own), #all + 1
all[n] = #reply
for j = 1, #reply do all[n + j] = reply[j] end
end
return all
end
";

/// A library, for `FUNCTION LOAD`: the script as a function, and beside it one that does what `check`
/// (`key/check`) does before; with `has_each` also one that runs the script for each of its keys.
pub(crate) fn as_library(
    function: &str,
    flags: &str,
    (code, check): (&str, &str),
    has_each: bool,
) -> String {
    let flags: Vec<String> =
        flags.split(',').filter(|it| !it.is_empty()).map(|flag| format!("'{flag}'")).collect();
    // Checking a key counts a request, which is a write.
    let may_write = flags.iter().filter(|flag| *flag != "'no-writes'");
    let may_write = may_write.map(String::as_str).collect::<Vec<_>>().join(", ");
    let flags = flags.join(", ");
    let each = if has_each {
        format!(
            "{FOR_EACH}redis.register_function{{function_name='{function}{EACH}', \
             callback=each, flags={{{flags}}}}}\n"
        )
    } else {
        String::new()
    };
    format!(
        "#!lua name={function}\n{code}local script = main\n{check}local check = main\n{CHECKED}\
         redis.register_function{{function_name='{function}', \
         callback=script, flags={{{flags}}}}}\n\
         redis.register_function{{function_name='{function}{WITH_KEY}', \
         callback=checked, flags={{{may_write}}}}}\n{each}"
    )
}

/// A script, for `EVAL`.
pub(crate) fn as_script(flags: &str, code: &str) -> String {
    let head = if flags.is_empty() { String::new() } else { format!("#!lua flags={flags}\n") };
    format!("{head}{code}return main(KEYS, ARGV)\n")
}
