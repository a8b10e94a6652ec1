//! A script's code as Redis takes it. The build reads this file, too, for the SHA-1.

/// A library with one function, for `FUNCTION LOAD`.
pub(crate) fn as_library(function: &str, flags: &str, code: &str) -> String {
    let flags: Vec<String> =
        flags.split(',').filter(|it| !it.is_empty()).map(|flag| format!("'{flag}'")).collect();
    format!(
        "#!lua name={function}\n{code}redis.register_function{{function_name='{function}', \
         callback=main, flags={{{}}}}}\n",
        flags.join(", ")
    )
}

/// A script, for `EVAL`.
pub(crate) fn as_script(flags: &str, code: &str) -> String {
    let head = if flags.is_empty() { String::new() } else { format!("#!lua flags={flags}\n") };
    format!("{head}{code}return main(KEYS, ARGV)\n")
}
