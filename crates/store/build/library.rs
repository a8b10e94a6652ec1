//! A script as code that Redis can keep: what is the same in each call is made once, when it is loaded.
//!
//! A script is written to be run from its first line to its last. Run like that, Redis makes each of its
//! functions anew for each call, which took longer than all that a heartbeat asks of Redis. Here the
//! functions and the constants are set apart from what a call computes:
//!
//! ```text
//! local now                         local now = tonumber(redis.call('TIME')[1])
//! local function age(ms)            local function age(ms)
//!   return now - ms                   return now - ms
//! end                               end
//! function run()                    return age(tonumber(ARGV[3]))
//!   now = tonumber(redis.call(…
//!   return age(tonumber(ARGV[3]))
//! end
//! ```
//!
//! The names stay where they were declared, so that each function sees those that it saw before. A name
//! in capitals is a constant.

use crate::tight::tight;
use crate::{Failure, is_word, mentions};

/// Commands that change nothing, as far as scripts call them.
const READS: &[&str] = &[
    "EXISTS",
    "GET",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HLEN",
    "HMGET",
    "HSCAN",
    "HSTRLEN",
    "LLEN",
    "LRANGE",
    "PEXPIRETIME",
    "PTTL",
    "SCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "STRLEN",
    "TIME",
    "TYPE",
    "XINFO",
    "XLEN",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZINTERCARD",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZSCORE",
];

/// Whether code calls nothing but such commands. One whose name is computed may do anything.
pub(crate) fn only_reads(code: &str) -> bool {
    let mut calls = code.split("call(").skip(1).map(|rest| rest.strip_prefix('\''));
    calls.all(|rest| {
        rest.and_then(|rest| rest.split('\'').next()).is_some_and(|name| READS.contains(&name))
    })
}

/// Code that makes `main`, which is the script as a function of its keys and arguments.
pub(crate) fn library(code: &str) -> Result<String, Failure> {
    let (mut made, mut run) = (String::new(), String::new());
    let mut state: Vec<&str> = Vec::new();
    for statement in statements(code) {
        let declared = statement.strip_prefix("local ");
        match declared {
            Some(rest) if rest.starts_with("function ") => made.push_str(statement),
            Some(rest) => {
                let (names, value) = match rest.split_once('=') {
                    Some((names, value)) => (names.trim(), Some(value)),
                    None => (rest.trim(), None),
                };
                if names.chars().all(|c| is_word(c) && !c.is_ascii_lowercase())
                    && !["P", "R"].contains(&names)
                {
                    made.push_str(statement);
                    continue;
                }
                for name in names.split(',').map(str::trim) {
                    if name.is_empty() || !name.chars().all(is_word) {
                        return Err(format!("{name:?} is no name: {statement}").into());
                    }
                    if state.contains(&name) {
                        return Err(format!("{name} is declared twice").into());
                    }
                    state.push(name);
                }
                made += &format!("local {names}\n");
                match value {
                    Some(value) => run += &format!("{names} ={value}"),
                    // A function that comes later is made once, and stays.
                    None if code.contains(&format!("\nfunction {names}(")) => {
                        state.retain(|name| *name != names);
                    }
                    None => run += &format!("{names} = nil\n"),
                }
            }
            None => match statement.strip_prefix("function ") {
                Some(rest) if !rest.split('(').next().unwrap_or_default().contains('.') => {
                    made.push_str(statement);
                }
                _ => run.push_str(statement),
            },
        }
    }
    // What a call leaves behind would be kept until the next one.
    let (given, names) =
        if mentions(code, "ARGV") { ("KEYS, ARGV", "keys, arguments") } else { ("KEYS", "keys") };
    let all: Vec<&str> = given.split(", ").chain(state).collect();
    let all = all.join(", ");
    // While a library is loaded there is no `redis.call` yet. Found once a call, it takes less time and
    // a good part of the text less room.
    let [made, run] = [made, run].map(|part| part.replace("redis.call(", "call("));
    let (name, value) =
        if mentions(code, "redis.call") { ("call, ", "redis.call, ") } else { ("", "") };
    let library = format!(
        "local main\ndo\nlocal {name}{given}\n{made}local function run_script()\n{run}end\n\
         function main({names})\n{name}{given} = {value}{names}\nlocal its_reply = run_script()\n\
         {all} = nil -- luacheck: ignore 532\nreturn its_reply\nend\nend\n"
    );
    // How far in a line is has told what belongs together, and is nothing to Redis, as other spaces are. Names
    // that are declared one after the other are declared together.
    let mut short = String::new();
    let mut was_declaration = false;
    for line in library.lines().map(str::trim_start) {
        let declared = line.strip_prefix("local ").filter(|rest| !rest.contains(['=', '(']));
        match declared {
            Some(names) if was_declaration => short += &format!(", {names}"),
            _ => short += &format!("\n{line}"),
        }
        was_declaration = declared.is_some();
    }
    let short = short.split_off(1);
    Ok(short.lines().map(|line| tight(line) + "\n").collect())
}

/// The statements of the outermost level: each begins at a line's begin, and what belongs to it is
/// further in, or closes it.
fn statements(code: &str) -> Vec<&str> {
    const GOES_ON: [&str; 6] = ["end", "else", "}", ")", "]", "until"];
    let mut begins: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        let goes_on = line.starts_with(' ') || GOES_ON.iter().any(|word| line.starts_with(word));
        if !goes_on || begins.is_empty() {
            begins.push(at);
        }
        at += line.len();
    }
    let ends = begins.iter().skip(1).copied().chain([code.len()]);
    begins.iter().zip(ends).map(|(from, to)| &code[*from..to]).collect()
}
