//! Turns `keys.toml`, `events.toml` and `lua/` into Rust: one function for each key, one constant and one
//! call for each script, one variant for each event. Doing it here means that a script's SHA-1 costs
//! nothing at run time, and that a key's pattern, a bound and a script's arguments stand in one place for
//! Rust and Lua alike.

#![allow(clippy::indexing_slicing, reason = "a panic here fails the build, and nothing else")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[path = "build/calls.rs"]
mod calls;
#[path = "build/events.rs"]
mod events;
#[path = "build/library.rs"]
mod library;
#[path = "build/tight.rs"]
mod tight;
#[path = "src/script/wrapped.rs"]
mod wrapped;

use calls::Edge;
use reef_domain::limits;

type Failure = Box<dyn std::error::Error>;

#[derive(serde::Deserialize)]
struct KeyTable {
    partition: Vec<Partition>,
    key: Vec<Key>,
}

/// Keys that one script may touch together.
#[derive(serde::Deserialize)]
struct Partition {
    name: String,
    /// What tells one partition of this kind from another; none for the cluster.
    parameter: Option<String>,
    /// The key that names the partition to a script.
    anchor: String,
}

#[derive(serde::Deserialize)]
struct Key {
    name: String,
    pattern: String,
    partition: String,
    #[serde(rename = "type")]
    kind: String,
    ttl: String,
    doc: String,
}

impl Key {
    /// The fixed texts of the pattern and, between them, the names of its parameters.
    fn parts(&self) -> (Vec<&str>, Vec<&str>) {
        let mut pieces = self.pattern.split(['{', '}']);
        let (mut texts, mut parameters) = (Vec::new(), Vec::new());
        while let Some(text) = pieces.next() {
            texts.push(text);
            parameters.extend(pieces.next());
        }
        (texts, parameters)
    }

    /// The pattern as the items of a Rust list.
    fn items(&self) -> String {
        let (texts, parameters) = self.parts();
        let mut items = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            if !text.is_empty() {
                items.push(format!("{text:?}"));
            }
            items.extend(parameters.get(i).map(|parameter| (*parameter).to_owned()));
        }
        items.join(", ")
    }
}

impl KeyTable {
    fn partition(&self, name: &str) -> Result<&Partition, Failure> {
        let found = self.partition.iter().find(|partition| partition.name == name);
        found.ok_or_else(|| format!("there is no partition {name:?}").into())
    }

    fn key(&self, partition: &str, name: &str) -> Option<&Key> {
        self.key.iter().find(|key| key.partition == partition && key.name == name)
    }
}

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=keys.toml");
    println!("cargo::rerun-if-changed=events.toml");
    println!("cargo::rerun-if-changed=lua");
    let table: KeyTable = toml::from_str(&fs::read_to_string("keys.toml")?)?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("keys.rs"), key_functions(&table)?)?;
    let catalogue: events::Catalogue = toml::from_str(&fs::read_to_string("events.toml")?)?;
    fs::write(Path::new(&out).join("events.rs"), catalogue.rust()?)?;
    write_scripts(&table, &catalogue.lua()?, Path::new(&out))
}

fn key_functions(table: &KeyTable) -> Result<String, Failure> {
    let mut rust = String::from("impl Keys {\n");
    for key in &table.key {
        let Key { name, pattern, partition, kind, ttl, doc } = key;
        let instance = table.partition(partition)?.parameter.as_deref();
        let (_, mut parameters) = key.parts();
        if let Some(instance) = instance.filter(|instance| !parameters.contains(instance)) {
            parameters.insert(0, instance);
        }
        let arguments: String = parameters.iter().map(|p| format!(", {p}: &str")).collect();
        // A key of every partition carries that partition's name.
        let function = match name.as_str() {
            "idempotency" | "idempotency_due" | "audit" | "audit_head" | "audit_seals"
            | "audit_of" => {
                format!("{partition}_{name}")
            }
            _ => name.clone(),
        };
        let tag = match instance {
            None => format!("{partition:?}.to_owned()"),
            Some(instance) => format!("[{partition:?}, \":\", {instance}].concat()"),
        };
        let tail = key.items();
        writeln!(rust, "/// `{pattern}`: {doc}\n///")?;
        writeln!(rust, "/// Type: {kind}. TTL: {ttl}. Partition: {partition}.\n#[must_use]")?;
        writeln!(
            rust,
            "pub fn {function}(&self{arguments}) -> String {{ \
             self.make(|| {tag}, &[{tail}]) }}"
        )?;
    }
    rust.push_str(
        "}\n/// All keys, for tests and documents: pattern, type, TTL, partition, meaning.\n",
    );
    rust.push_str("pub const TABLE: &[[&str; 5]] = &[\n");
    for Key { pattern, kind, ttl, partition, doc, .. } in &table.key {
        writeln!(rust, "[{pattern:?}, {kind:?}, {ttl:?}, {partition:?}, {doc:?}],")?;
    }
    rust.push_str(
        "];\n/// All partitions, and the parameter that tells one of a kind from another.\n\
         pub const PARTITIONS: &[(&str, Option<&str>)] = &[\n",
    );
    for Partition { name, parameter, .. } in &table.partition {
        writeln!(rust, "({name:?}, {parameter:?}),")?;
    }
    rust.push_str("];\n");
    Ok(rust)
}

/// Writes the scripts as constants, and for each noun the calls of its scripts. `told`: what the
/// include `event` has beside what its file says.
fn write_scripts(table: &KeyTable, told: &str, out: &Path) -> Result<(), Failure> {
    let mut includes = read_folder(Path::new("lua/include"))?;
    includes.entry("event".to_owned()).or_default().push_str(told);
    let mut constants = String::new();
    let mut names = Vec::new();
    // It is in every library.
    let check = fs::read_to_string("lua/key/check.lua")?;
    let check = library::library(&resolve(&check, &includes, table)?.0)?;
    let mut folders: Vec<_> = fs::read_dir("lua")?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::path);
    for folder in folders {
        let noun = folder.file_name().to_string_lossy().into_owned();
        if noun == "include" {
            continue;
        }
        let mut calls = String::new();
        for (verb, source) in read_folder(&folder.path())? {
            let name = format!("{noun}/{verb}");
            let constant = format!("{noun}_{verb}").to_uppercase();
            let in_script = |error: Failure| format!("{name}.lua: {error}");
            let (code, edge) = resolve(&source, &includes, table).map_err(in_script)?;
            let flags = flags(&source, &code);
            let code = library::library(&code).map_err(in_script)?;
            let text = wrapped::as_script(&flags, &code);
            let sha1 = sha1_smol::Sha1::from(text).digest().to_string();
            let has_each = edge.has_each(&flags);
            let library = wrapped::as_library("", &flags, (&code, &check), has_each);
            let version = sha1_smol::Sha1::from(library).digest().to_string();
            let function = format!("reef_{noun}_{verb}_{}", &version[..VERSION_DIGITS]);
            let each = has_each.then(|| [&function, wrapped::EACH].concat());
            writeln!(constants, "/// `lua/{name}.lua`")?;
            writeln!(
                constants,
                "pub(crate) static {constant}: Script = Script {{ name: {name:?}, audited: {}, \
                 function: {function:?}, with_key: {:?}, each: {each:?}, flags: {flags:?}, sha1: {sha1:?}, \
                 code: {code:?} }};",
                edge.audited,
                [&function, wrapped::WITH_KEY].concat()
            )?;
            calls.push_str(&edge.rust(&verb, &constant).map_err(in_script)?);
            names.push(constant);
        }
        fs::write(out.join(format!("calls_{noun}.rs")), calls)?;
    }
    writeln!(constants, "/// All scripts of the hub.\npub static ALL: &[&Script] = &[")?;
    for name in names {
        writeln!(constants, "&{name},")?;
    }
    constants.push_str("];\n");
    Ok(fs::write(out.join("scripts.rs"), constants)?)
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().ok_or("a script needs a name")?.to_string_lossy().into_owned();
        files.insert(stem, fs::read_to_string(&path)?);
    }
    Ok(files)
}

/// The script that Redis gets: the includes, the names of the arguments, and the file, without
/// comments; and what its header says of how it is called.
fn resolve(
    source: &str,
    includes: &BTreeMap<String, String>,
    table: &KeyTable,
) -> Result<(String, Edge), Failure> {
    let partition = partition_of(source).ok_or("KEYS[1] must be `the <name> partition`")?;
    let edge = Edge::read(source, partition)?;
    let mut code = without_comments(source);
    if edge.once != code.contains("return once") {
        return Err("its header and its code differ in whether it is done once".into());
    }
    code = edge.prologue(&code) + &code;
    let mut needed = Vec::new();
    collect(source, includes, &mut needed, 0)?;
    if edge.audited != needed.contains(&"audit") {
        return Err("its header and its includes differ in whether it is audited".into());
    }
    for include in needed.into_iter().rev() {
        code = with_include(&includes[include], code);
    }
    Ok((with_limits(&with_keys(partition, &code, table)?)?, edge))
}

/// What Redis is told of a script.
fn flags(source: &str, code: &str) -> String {
    let runs_when_full = source.lines().any(|line| line == RUNS_WHEN_FULL);
    let flags = [("allow-oom", runs_when_full), ("no-writes", library::only_reads(code))];
    let set = flags.into_iter().filter_map(|(flag, is_set)| is_set.then_some(flag));
    set.collect::<Vec<_>>().join(",")
}

/// The line of a header that says: this script also runs in a Redis whose memory is used up, because
/// it reads, frees, or writes over what is there. All others are refused there by their first write
/// (Redis looks once, so that none is cut half-way).
const RUNS_WHEN_FULL: &str = "-- full: runs";

/// How many hexadecimal digits of a function's SHA-1 tell its versions apart.
const VERSION_DIGITS: usize = 16;

/// What a file includes, each after what it includes itself.
fn collect<'i>(
    source: &str,
    includes: &'i BTreeMap<String, String>,
    needed: &mut Vec<&'i str>,
    depth: usize,
) -> Result<(), Failure> {
    let line = source.lines().find_map(|line| line.strip_prefix("-- include:"));
    for name in line.unwrap_or_default().split_whitespace() {
        let (name, text) =
            includes.get_key_value(name).ok_or_else(|| format!("no include {name}"))?;
        if depth == includes.len() {
            return Err(format!("the include {name} includes itself").into());
        }
        collect(text, includes, needed, depth + 1)?;
        if !needed.contains(&name.as_str()) {
            needed.push(name);
        }
    }
    Ok(())
}

/// Puts an include in front of code, leaving out what the code does not use: Redis makes every
/// function of a script anew for each call. The parts of an include are set apart by blank lines.
fn with_include(include: &str, code: String) -> String {
    include.rsplit("\n\n").map(without_comments).fold(code, |code, part| {
        let names = defined_by(&part);
        let is_used = names.is_empty() || names.iter().any(|name| mentions(&code, name));
        if is_used { part + &code } else { code }
    })
}

/// The names that a part defines.
fn defined_by(part: &str) -> Vec<&str> {
    let definitions = part.lines().filter_map(|line| line.strip_prefix("local "));
    let names = definitions.flat_map(|definition| {
        let names = definition.strip_prefix("function ").unwrap_or(definition);
        names.split([' ', '(', '=']).next().unwrap_or_default().split(',')
    });
    names.collect()
}

fn without_comments(lua: &str) -> String {
    lua.lines()
        .filter(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty())
        .fold(String::new(), |code, line| code + line + "\n")
}

/// The partition that a script's header names.
fn partition_of(source: &str) -> Option<&str> {
    let line = source.lines().find_map(|line| line.strip_prefix("-- KEYS[1]"))?;
    line.trim().strip_prefix("the ")?.strip_suffix(" partition")
}

/// Puts the names of its keys into a script: `key.node(id)` becomes the expression that makes it.
/// Redis runs all of a script for each call, so that a table of names would be made for each, too.
/// They begin with what the anchor of the partition has before its own name, which carries prefix and
/// layout. Where there are several partitions of a kind, ARGV[3] says which.
fn with_keys(partition: &str, code: &str, table: &KeyTable) -> Result<String, Failure> {
    let partition = table.partition(partition)?;
    let anchor = table
        .key(&partition.name, &partition.anchor)
        .ok_or_else(|| format!("no key {:?}", partition.anchor))?;
    let fixed: usize = anchor.parts().0.iter().map(|text| text.len()).sum();
    let instance = if partition.parameter.is_some() { " + #ARGV[3]" } else { "" };
    let mut keyed = String::new();
    put_keys(&partition.name, code, table, &mut keyed)?;
    // Nearly all begin with this, which stands once.
    let keyed = keyed.replace(&format!("P .. '{OWN}"), "R .. '");
    let mut lua = format!("local P = string.sub(KEYS[1], 1, -({}{instance}))\n", fixed + 1);
    if mentions(&keyed, "R") {
        lua += &format!("local R = P .. '{OWN}'\n");
    }
    Ok(lua + &keyed)
}

/// How the keys begin that are this hub's own, and not an older system's.
const OWN: &str = "reef:";

fn put_keys(
    partition: &str,
    code: &str,
    table: &KeyTable,
    lua: &mut String,
) -> Result<(), Failure> {
    let mut rest = code;
    while let Some(at) = word_at(rest, "key.") {
        lua.push_str(&rest[..at]);
        rest = &rest[at + "key.".len()..];
        // A text that begins so, such as the name of an action.
        if lua.ends_with('\'') {
            lua.push_str("key.");
            continue;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let key = table
            .key(partition, name)
            .ok_or_else(|| format!("the key {name} is not of the partition {partition}"))?;
        let mut arguments = Vec::new();
        if let Some(inner) = rest.strip_prefix('(') {
            let (found, length) = arguments_of(inner)?;
            arguments = found;
            rest = &inner[length..];
        }
        let (texts, parameters) = key.parts();
        // A name that is handed on makes keys later.
        let is_handed_on = arguments.is_empty() && !parameters.is_empty();
        if is_handed_on {
            write!(lua, "function({}) return ", parameters.join(", "))?;
            arguments.clone_from(&parameters);
        }
        if arguments.len() != parameters.len() {
            return Err(format!("the key {name} takes {}", parameters.join(", ")).into());
        }
        lua.push_str("(P");
        for (i, text) in texts.iter().enumerate() {
            if !text.is_empty() {
                write!(lua, " .. '{text}'")?;
            }
            if let Some(argument) = arguments.get(i) {
                lua.push_str(" .. ");
                put_keys(partition, argument, table, lua)?;
            }
        }
        lua.push_str(if is_handed_on { ") end" } else { ")" });
    }
    lua.push_str(rest);
    Ok(())
}

/// The arguments of a call, from behind its parenthesis, and how long they are with the one that
/// closes it.
fn arguments_of(code: &str) -> Result<(Vec<&str>, usize), Failure> {
    let (mut depth, mut from, mut quote) = (0, 0, None);
    let mut arguments = Vec::new();
    for (at, c) in code.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')') if depth == 0 => {
                arguments.push(code[from..at].trim());
                return Ok((arguments, at + 1));
            }
            (None, ')' | '}' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                arguments.push(code[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    Err("a key's arguments do not end".into())
}

/// Puts the hub's bounds into a script, which knows them by their names in `limits.rs`.
fn with_limits(code: &str) -> Result<String, Failure> {
    let mut lua = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(|c: char| is_word(c) && !c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        lua.push_str(before);
        let is_own = lua
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim_start().starts_with("local ") && !line.contains('='));
        match limits::named(word) {
            Some(_) if is_own => return Err(format!("{word} is a bound of the hub's").into()),
            Some(bound) => lua.push_str(&bound.to_string()),
            None => lua.push_str(word),
        }
        rest = after;
    }
    Ok(lua + rest)
}

/// Whether code holds a name as a whole word.
fn mentions(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

/// Where a text begins a word of the code.
fn word_at(code: &str, text: &str) -> Option<usize> {
    code.match_indices(text).map(|(at, _)| at).find(|at| !code[..*at].ends_with(is_word))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
