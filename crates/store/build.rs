//! Turns `keys.toml` and `lua/` into Rust: one function for each key, one constant for each
//! script. Doing it here means that a script's SHA-1 costs nothing at run time, and that a key's
//! pattern stands in one place for Rust and Lua alike.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Failure = Box<dyn std::error::Error>;

#[derive(serde::Deserialize)]
struct KeyTable {
    key: Vec<Key>,
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
    /// The text before the parameter and the parameter's name, if the pattern ends in one.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.pattern.split_once('{') {
            Some((head, rest)) => (head, Some(rest.trim_end_matches('}'))),
            None => (&self.pattern, None),
        }
    }
}

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=keys.toml");
    println!("cargo::rerun-if-changed=lua");
    let table: KeyTable = toml::from_str(&fs::read_to_string("keys.toml")?)?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("keys.rs"), key_functions(&table.key)?)?;
    fs::write(Path::new(&out).join("scripts.rs"), script_constants(&table.key)?)?;
    Ok(())
}

fn key_functions(keys: &[Key]) -> Result<String, Failure> {
    let mut rust = String::from("impl Keys {\n");
    for key in keys {
        let Key { name, pattern, partition, kind, ttl, doc } = key;
        let (head, parameter) = key.parts();
        writeln!(rust, "/// `{pattern}`: {doc}\n///")?;
        writeln!(rust, "/// Type: {kind}. TTL: {ttl}. Partition: {partition}.\n#[must_use]")?;
        match parameter {
            None => writeln!(
                rust,
                "pub fn {name}(&self) -> String {{ self.make({partition:?}, {head:?}, \"\") }}"
            )?,
            Some(p) => writeln!(
                rust,
                "pub fn {name}(&self, {p}: &str) -> String {{ \
                 self.make({partition:?}, {head:?}, {p}) }}"
            )?,
        }
    }
    rust.push_str(
        "}\n/// All keys, for tests and documents: pattern, type, TTL, partition, meaning.\n",
    );
    rust.push_str("pub const TABLE: &[[&str; 5]] = &[\n");
    for Key { pattern, kind, ttl, partition, doc, .. } in keys {
        writeln!(rust, "[{pattern:?}, {kind:?}, {ttl:?}, {partition:?}, {doc:?}],")?;
    }
    rust.push_str("];\n");
    Ok(rust)
}

fn script_constants(keys: &[Key]) -> Result<String, Failure> {
    let includes = read_folder(Path::new("lua/include"))?;
    let mut rust = String::new();
    let mut names = Vec::new();
    let mut folders: Vec<_> = fs::read_dir("lua")?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::path);
    for folder in folders {
        let noun = folder.file_name().to_string_lossy().into_owned();
        if noun == "include" {
            continue;
        }
        for (verb, source) in read_folder(&folder.path())? {
            let name = format!("{noun}/{verb}");
            let text = resolve(&name, &source, &includes, keys)?;
            let sha1 = sha1_smol::Sha1::from(&text).digest().to_string();
            let constant = format!("{noun}_{verb}").to_uppercase();
            writeln!(rust, "/// `lua/{name}.lua`")?;
            writeln!(
                rust,
                "pub(crate) static {constant}: Script = \
                 Script {{ name: {name:?}, sha1: {sha1:?}, text: {text:?} }};"
            )?;
            names.push(constant);
        }
    }
    writeln!(rust, "/// All scripts of the hub.\npub static ALL: &[&Script] = &[")?;
    for name in names {
        writeln!(rust, "&{name},")?;
    }
    rust.push_str("];\n");
    Ok(rust)
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

/// The script that Redis gets: key names, then the includes, then the file, without comments.
fn resolve(
    name: &str,
    source: &str,
    includes: &BTreeMap<String, String>,
    keys: &[Key],
) -> Result<String, Failure> {
    for part in ["-- KEYS[1]", "-- ARGV", "-- Returns"] {
        if !source.contains(part) {
            return Err(format!("{name}.lua: its header must say `{part}`").into());
        }
    }
    let mut code = without_comments(source);
    if let Some(line) = source.lines().find_map(|line| line.strip_prefix("-- include:")) {
        for include in line.split_whitespace().rev() {
            let text = includes.get(include).ok_or_else(|| format!("{name}: no {include}"))?;
            code = with_include(text, code);
        }
    }
    Ok(key_names(name, &code, keys)? + &code)
}

/// Puts an include in front of code, leaving out what the code does not use: Redis makes every
/// function of a script anew for each call. The parts of an include are set apart by blank lines.
fn with_include(include: &str, code: String) -> String {
    include.rsplit("\n\n").map(without_comments).fold(code, |code, part| match defined_by(&part) {
        Some(name) if !mentions(&code, name) => code,
        _ => part + &code,
    })
}

/// The name that a part defines, if it does nothing else.
fn defined_by(part: &str) -> Option<&str> {
    let mut unindented = part.lines().filter(|line| !line.starts_with([' ', '}']));
    let definition = unindented.next()?.strip_prefix("local ")?;
    let rest_is_its_end = unindented.all(|line| line == "end");
    let name = definition.strip_prefix("function ").unwrap_or(definition);
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    rest_is_its_end.then(|| &name[..end])
}

fn without_comments(lua: &str) -> String {
    lua.lines()
        .filter(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty())
        .fold(String::new(), |code, line| code + line + "\n")
}

/// Lua that defines `key.<name>` for the keys that a script uses, from the one key that it is
/// given: the key that names its partition, which carries prefix and layout.
fn key_names(script: &str, code: &str, keys: &[Key]) -> Result<String, Failure> {
    let used: Vec<&Key> = keys.iter().filter(|key| uses(code, &key.name)).collect();
    let partition = &used.first().ok_or_else(|| format!("{script}: uses no key"))?.partition;
    if let Some(stray) = used.iter().find(|key| key.partition != *partition) {
        return Err(format!("{script}: {} lies in another partition", stray.name).into());
    }
    let anchor = keys
        .iter()
        .find(|key| key.name == *partition)
        .ok_or_else(|| format!("no key named {partition}, so nothing names the partition"))?;
    let mut lua =
        format!("local P = string.sub(KEYS[1], 1, -{})\nlocal key = {{", anchor.pattern.len() + 1);
    for key in used {
        let (head, parameter) = key.parts();
        match parameter {
            None => write!(lua, " {} = P .. '{head}',", key.name)?,
            Some(_) => write!(lua, " {} = function(x) return P .. '{head}' .. x end,", key.name)?,
        }
    }
    lua.push_str(" }\n");
    Ok(lua)
}

fn uses(code: &str, key: &str) -> bool {
    mentions(code, &format!("key.{key}"))
}

/// Whether code holds a name as a whole word.
fn mentions(code: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        !is_word(before.chars().next_back()) && !is_word(after.chars().next())
    })
}
