//! The edge between Rust and a script, as the script's header says it: arguments and replies by name.
//! The header lists its arguments one to a line; from it come the Rust type by which the
//! script is called, and the line that names its arguments in Lua.
//!
//! ```text
//! -- Says whose a key is.
//! --
//! -- KEYS[1]  the ledger partition
//! -- ARGV     key_id: text       The id that the key carries.
//! --          rate: int          Requests a second; 0 for no limit.
//! -- Returns  Checked:
//! --          ok(agent_id: text, left: int?)
//! --          unknown            There is no such key.
//! ```
//!
//! Two lines stand before the arguments where they belong: `once`, for what a repeat of the same request
//! does not do again, and `audit`, for what is noted in the audit (include `audit`).
//!
//! Kinds of arguments: `text`, `int`, `flag` (1 or 0), an id such as `NodeId`, a `Token`, with `?` for those that may
//! be missing (then they are empty), or a Rust type that is an `Argument`; as the last one `text*` or
//! `NodeId*`, as many as there are, or a Rust type with `*`, of rows that are too many for a table: its name is where they
//! begin, and the script takes row by row with `unpack`. Kinds
//! of replies: the same, `()`, a Rust type that is `FromReply`, and with `*` as many as there are. Of
//! replies without a name, `ok` alone is what it brings, and with a status beside it that brings nothing
//! an `Option` of that, or whether it was `ok`.
//!
//! A Rust type alone reads all of the outcomes itself. `Written<Appended>:` is a reply within another,
//! which several scripts share: a generic Rust type whose `within` takes what reads the outcomes that are
//! listed, and knows the others itself. `Written<>:` is that for outcomes without a name.

use std::fmt::Write as _;

use crate::{Failure, mentions};

const READ_SELF: &str = "fn read(&self, status: &str, _reply: &mut crate::script::Reader)";
const READ: &str = "pub(crate) fn read(status: &str, _reply: &mut crate::script::Reader)";

/// What a header says of the edge.
pub(crate) struct Edge {
    doc: Vec<String>,
    /// The Rust type, if it is not named like the script.
    name: Option<String>,
    /// Which partition, as a variant of `Partition`.
    partition: String,
    /// A repeat of the same request is answered as it was before.
    pub(crate) once: bool,
    /// Who asks is noted in the audit, and so is the first argument.
    pub(crate) audited: bool,
    arguments: Vec<Argument>,
    reply: Reply,
}

struct Argument {
    name: String,
    kind: String,
    doc: String,
}

struct Reply {
    /// The generic type that it is within.
    within: Option<String>,
    /// The enum that it is; without outcomes one that is made elsewhere.
    name: Option<String>,
    outcomes: Vec<Outcome>,
}

struct Outcome {
    status: String,
    values: Vec<Value>,
    doc: String,
}

struct Value {
    name: Option<String>,
    kind: String,
}

/// What an audited script does first.
const OVER_AUDIT: &str = "local over = over_audit()\nif over then return over end\n";

/// The first argument that is a script's own: what comes before belongs to idempotency, and what comes
/// between to the audit.
const FIRST: usize = 3;

/// Where the entries of a section begin, behind the `--`.
const INDENT: usize = 10;

impl Edge {
    /// Whether it is worth while to call it for many at once: it reads one thing of many.
    pub(crate) fn has_each(&self, flags: &str) -> bool {
        let is_one_of_many = !matches!(self.partition.as_str(), "Cluster" | "Ledger");
        is_one_of_many && !self.once && flags.split(',').any(|flag| flag == "no-writes")
    }

    pub(crate) fn read(source: &str, partition: &str) -> Result<Self, Failure> {
        let header: Vec<&str> =
            source.lines().map_while(|line| line.strip_prefix("--")).map(str::trim_end).collect();
        let (Some(arguments), Some(reply)) =
            (section(&header, "ARGV"), section(&header, "Returns"))
        else {
            return Err("its header must say `ARGV` and `Returns`".into());
        };
        let once = arguments.iter().any(|line| line == "once");
        let audited = arguments.iter().any(|line| line == "audit");
        let arguments = arguments
            .iter()
            .filter(|line| !matches!(line.as_str(), "once" | "audit" | "none"))
            .map(|line| Argument::read(line))
            .collect::<Result<_, _>>()?;
        let end = header.iter().position(|line| line.is_empty()).unwrap_or(0);
        let mut letters = partition.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        Ok(Self {
            doc: header[..end].iter().map(|line| line.trim().to_owned()).collect(),
            name: section(&header, "Call").and_then(|lines| lines.into_iter().next()),
            partition: first.into_iter().chain(letters).collect(),
            once,
            audited,
            arguments,
            reply: Reply::read(&reply)?,
        })
    }

    /// The line that names the arguments that a script's code uses.
    pub(crate) fn prologue(&self, code: &str) -> String {
        let first = FIRST + usize::from(self.audited);
        let asked = if self.audited { OVER_AUDIT } else { "" };
        let used = self.arguments.iter().enumerate();
        let (names, values): (Vec<_>, Vec<_>) = used
            .filter(|(_, argument)| mentions(code, &argument.name))
            .map(|(i, argument)| (argument.name.as_str(), argument.lua(first + i)))
            .unzip();
        if names.is_empty() {
            return asked.to_owned();
        }
        format!("local {} = {}\n{asked}", names.join(", "), values.join(", "))
    }

    /// The type by which the script is called, and that of its reply.
    pub(crate) fn rust(&self, verb: &str, constant: &str) -> Result<String, Failure> {
        let mut rust = String::new();
        let name = self.name.clone().unwrap_or_else(|| camel(verb));
        let borrows = if self.arguments.iter().any(Argument::borrows) { "<'a>" } else { "" };
        let anonymous = if borrows.is_empty() { "" } else { "<'_>" };
        for line in &self.doc {
            writeln!(rust, "/// {line}")?;
        }
        let braces = if self.arguments.is_empty() { [";", ""] } else { [" {", "}"] };
        writeln!(rust, "#[derive(Debug)]\npub struct {name}{borrows}{}", braces[0])?;
        for argument in &self.arguments {
            writeln!(rust, "/// {}", argument.doc)?;
            writeln!(rust, "pub {}: {},", argument.name, argument.rust_type())?;
        }
        let reply = self.reply.rust_type();
        writeln!(rust, "{}\n\nimpl crate::script::Call for {name}{anonymous} {{", braces[1])?;
        writeln!(rust, "type Reply = {reply};\n")?;
        writeln!(rust, "fn script(&self) -> &'static crate::script::Script {{")?;
        writeln!(rust, "&crate::script::{constant}\n}}\n")?;
        let mut rest = self.arguments.as_slice();
        let has_instance = !matches!(self.partition.as_str(), "Cluster" | "Ledger");
        if has_instance {
            if self.audited {
                return Err("the audit has no chain in its partition".into());
            }
            let Some((instance, others)) = rest.split_first() else {
                return Err("its first argument must say which partition".into());
            };
            rest = others;
            writeln!(rust, "fn partition(&self) -> crate::script::Partition<'_> {{")?;
            let as_str = if id(&instance.kind).is_some() { ".as_str()" } else { "" };
            let Argument { name, .. } = instance;
            writeln!(rust, "crate::script::Partition::{}(self.{name}{as_str})", self.partition)?;
            writeln!(rust, "}}\n")?;
        } else if self.partition != "Cluster" {
            writeln!(rust, "fn partition(&self) -> crate::script::Partition<'_> {{")?;
            writeln!(rust, "crate::script::Partition::{}\n}}\n", self.partition)?;
        }
        let unused = if rest.is_empty() { "_" } else { "" };
        writeln!(rust, "fn arguments(&self, {unused}arguments: &mut crate::script::Arguments) {{")?;
        for argument in rest {
            writeln!(rust, "{}", argument.append())?;
        }
        writeln!(rust, "}}\n\n{READ_SELF} -> Result<{reply}, crate::script::Malformed> {{")?;
        rust.push_str(&self.reply.reading());
        rust.push_str("}\n}\n\n");
        rust.push_str(&self.reply.declaration(&name)?);
        Ok(rust)
    }
}

impl Argument {
    fn read(line: &str) -> Result<Self, Failure> {
        let (declaration, doc) = with_doc(line);
        let (name, kind) =
            declaration.split_once(": ").ok_or_else(|| format!("{line:?} has no kind"))?;
        if doc.is_empty() {
            return Err(format!("{name} is not described").into());
        }
        Ok(Self { name: name.to_owned(), kind: kind.to_owned(), doc: doc.to_owned() })
    }

    fn rust_type(&self) -> String {
        let known = match self.kind.as_str() {
            "text" => "&'a str",
            "text?" => "Option<&'a str>",
            "int" => "i64",
            "int?" => "Option<i64>",
            "flag" => "bool",
            "text*" => "&'a [String]",
            other => match id(other) {
                Some((id, "")) => return format!("&'a {id}"),
                Some((id, "*")) => return format!("&'a [{id}]"),
                Some((id, _)) => return format!("Option<&'a {id}>"),
                None => other.strip_suffix('*').unwrap_or(other),
            },
        };
        known.to_owned()
    }

    fn lua(&self, number: usize) -> String {
        match self.kind.as_str() {
            "text*" => format!("{{ unpack(ARGV, {number}) }}"),
            ids if id(ids).is_some_and(|(_, more)| more == "*") => {
                format!("{{ unpack(ARGV, {number}) }}")
            }
            rows if rows.ends_with('*') => number.to_string(),
            _ => format!("ARGV[{number}]"),
        }
    }

    fn borrows(&self) -> bool {
        self.rust_type().contains("'a")
    }

    fn append(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "text" => format!("arguments.text(self.{name});"),
            "int" => format!("arguments.number(self.{name});"),
            "text?" | "int?" => format!("arguments.optional(self.{name});"),
            "flag" => format!("arguments.number(i32::from(self.{name}));"),
            "text*" => format!("for each in self.{name} {{ arguments.text(each); }}"),
            kind if id(kind).is_some() => match id(kind) {
                Some((_, "")) => format!("arguments.text(self.{name}.as_str());"),
                Some((_, "*")) => {
                    format!("for each in self.{name} {{ arguments.text(each.as_str()); }}")
                }
                _ => format!("arguments.optional(self.{name});"),
            },
            _ => format!("crate::script::Argument::append(&self.{name}, arguments);"),
        }
    }
}

impl Reply {
    fn read(lines: &[String]) -> Result<Self, Failure> {
        let is_elsewhere =
            lines.len() == 1 && lines[0].starts_with(|c: char| c.is_ascii_uppercase());
        let title = if is_elsewhere { Some(lines[0].as_str()) } else { lines[0].strip_suffix(':') };
        let parts = title.and_then(|title| title.strip_suffix('>')?.split_once('<'));
        let (within, name) = match parts.filter(|_| !is_elsewhere) {
            Some((within, name)) => {
                (Some(within.to_owned()), Some(name).filter(|it| !it.is_empty()))
            }
            None => (None, title),
        };
        let lines = &lines[usize::from(title.is_some())..];
        let outcomes =
            lines.iter().map(|line| Outcome::read(line)).collect::<Result<Vec<_>, _>>()?;
        let statuses: Vec<&str> = outcomes.iter().map(|it| it.status.as_str()).collect();
        match (name, statuses.as_slice()) {
            (Some(_), [_, ..]) | (None, ["ok"] | ["ok", _]) => {}
            (Some(_), []) if is_elsewhere => {}
            _ => return Err(format!("replies {statuses:?} need a name").into()),
        }
        Ok(Self { within, name: name.map(str::to_owned), outcomes })
    }

    fn rust_type(&self) -> String {
        let inner = self.inner_type();
        match &self.within {
            Some(within) => format!("{within}<{inner}>"),
            None => inner,
        }
    }

    fn inner_type(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let ok = self.outcomes[0].values.first().map(Value::rust_type);
        match (ok, self.outcomes.len()) {
            (None, 1) => "()".to_owned(),
            (None, _) => "bool".to_owned(),
            (Some(ok), 1) => ok,
            (Some(ok), _) => format!("Option<{ok}>"),
        }
    }

    /// The body of the function that reads it.
    fn reading(&self) -> String {
        match (&self.within, &self.name) {
            (None, Some(name)) => format!("<{name}>::read(status, _reply)"),
            (None, None) => self.matching(),
            (Some(within), Some(name)) => format!("{within}::within(status, _reply, {name}::read)"),
            (Some(within), None) => {
                format!("{within}::within(status, _reply, |status, _reply| {})", self.matching())
            }
        }
    }

    fn matching(&self) -> String {
        let mut rust = "match status {\n".to_owned();
        for outcome in &self.outcomes {
            rust += &format!("{:?} => Ok({}),\n", outcome.status, self.value(outcome));
        }
        rust + "other => crate::script::unknown_status(other),\n}\n"
    }

    /// The expression that reads an outcome.
    fn value(&self, Outcome { status, values, .. }: &Outcome) -> String {
        let Some(name) = &self.name else {
            let is_alone = self.outcomes.len() == 1;
            return match (status.as_str(), values.first()) {
                ("ok", None) if is_alone => "()".to_owned(),
                ("ok", None) => "true".to_owned(),
                ("ok", Some(value)) if is_alone => value.read(),
                ("ok", Some(value)) => format!("Some({})", value.read()),
                (_, _) if self.outcomes[0].values.is_empty() => "false".to_owned(),
                (_, _) => "None".to_owned(),
            };
        };
        let variant = format!("{name}::{}", camel(status));
        let reads: Vec<String> = values
            .iter()
            .map(|value| match &value.name {
                Some(name) => format!("{name}: {}", value.read()),
                None => value.read(),
            })
            .collect();
        match values.first() {
            None => variant,
            Some(Value { name: Some(_), .. }) => format!("{variant} {{ {} }}", reads.join(", ")),
            Some(_) => format!("{variant}({})", reads.join(", ")),
        }
    }

    fn declaration(&self, call: &str) -> Result<String, Failure> {
        let Some(name) = self.name.as_ref().filter(|_| !self.outcomes.is_empty()) else {
            return Ok(String::new());
        };
        let mut rust =
            format!("/// What became of a [`{call}`].\n#[derive(Debug)]\npub enum {name} {{\n");
        for Outcome { status, values, doc } in &self.outcomes {
            writeln!(rust, "/// {}", if doc.is_empty() { "It is done." } else { doc })?;
            rust.push_str(&camel(status));
            let fields: Vec<String> = values
                .iter()
                .map(|value| match &value.name {
                    Some(name) => format!("{name}: {}", value.rust_type()),
                    None => value.rust_type(),
                })
                .collect();
            match values.first() {
                None => {}
                Some(Value { name: Some(_), .. }) => write!(rust, " {{ {} }}", fields.join(", "))?,
                Some(_) => write!(rust, "({})", fields.join(", "))?,
            }
            rust.push_str(",\n");
        }
        writeln!(
            rust,
            "}}\n\nimpl {name} {{\n{READ} -> Result<Self, crate::script::Malformed> {{"
        )?;
        rust.push_str(&self.matching());
        rust.push_str("}\n}\n\n");
        Ok(rust)
    }
}

impl Outcome {
    fn read(line: &str) -> Result<Self, Failure> {
        let (outcome, doc) = with_doc(line);
        let (status, values) = match outcome.split_once('(') {
            None => (outcome, Vec::new()),
            Some((status, values)) => {
                let values = values.strip_suffix(')').ok_or_else(|| format!("{line:?} is open"))?;
                (status, values.split(", ").map(Value::new).collect())
            }
        };
        if !status.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err(format!("{status:?} is no status").into());
        }
        Ok(Self { status: status.to_owned(), values, doc: doc.to_owned() })
    }
}

impl Value {
    fn new(text: &str) -> Self {
        let (name, kind) = match text.split_once(": ") {
            Some((name, kind)) => (Some(name.to_owned()), kind),
            None => (None, text),
        };
        Self { name, kind: kind.to_owned() }
    }

    fn rust_type(&self) -> String {
        match self.kind.as_str() {
            "text" => "String".to_owned(),
            "text?" => "Option<String>".to_owned(),
            "int" => "i64".to_owned(),
            "int?" => "Option<i64>".to_owned(),
            "flag" => "bool".to_owned(),
            other => match (other.strip_suffix('*'), id(other)) {
                (Some("text"), _) => "Vec<String>".to_owned(),
                (Some("int"), _) => "Vec<i64>".to_owned(),
                (_, Some((id, "*"))) => format!("Vec<{id}>"),
                (_, Some((id, "?"))) => format!("Option<{id}>"),
                (_, Some((id, _))) => id,
                (Some(each), None) => format!("Vec<{each}>"),
                (None, None) => other.to_owned(),
            },
        }
    }

    fn read(&self) -> String {
        match self.kind.as_str() {
            "text" => "_reply.text()?".to_owned(),
            "text?" => "_reply.filled()?".to_owned(),
            "int" => "_reply.int()?".to_owned(),
            "int?" => "_reply.optional_int()?".to_owned(),
            "flag" => "_reply.flag()?".to_owned(),
            _ => format!("<{} as crate::script::FromReply>::read(_reply)?", self.rust_type()),
        }
    }
}

/// The Rust type of an id that stands as a kind, and whether it may be missing (`?`) or there are
/// several (`*`).
fn id(kind: &str) -> Option<(String, &str)> {
    let (name, more) = kind.split_at(kind.trim_end_matches(['?', '*']).len());
    let is_id = (name.ends_with("Id") || name == "Token")
        && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_id.then(|| (format!("reef_api::{name}"), more))
}

/// The entries of a header's section. One that is too long for a line goes on further in.
fn section(header: &[&str], name: &str) -> Option<Vec<String>> {
    let begins = |line: &&str| line.get(..INDENT).is_some_and(|head| head.trim() == name);
    let at = header.iter().position(begins)?;
    let goes_on = |line: &&str| line.starts_with(&" ".repeat(INDENT));
    let mut entries: Vec<String> = Vec::new();
    for (i, line) in
        header[at..].iter().enumerate().take_while(|(i, line)| *i == 0 || goes_on(line))
    {
        let text = line.get(INDENT..).unwrap_or_default();
        match entries.last_mut() {
            Some(last) if i > 0 && text.starts_with(' ') => {
                // Where there was no room for what is said of it, that begins here.
                last.push_str(if last.contains("  ") { " " } else { "  " });
                last.push_str(text.trim());
            }
            _ => entries.push(text.trim().to_owned()),
        }
    }
    Some(entries)
}

/// A declaration and what is said of it, which two spaces set apart.
fn with_doc(line: &str) -> (&str, &str) {
    line.split_once("  ").map_or((line, ""), |(declaration, doc)| (declaration, doc.trim()))
}

/// `set_status` as `SetStatus`.
fn camel(name: &str) -> String {
    // That is a word of Rust.
    if name == "self" {
        return "Itself".to_owned();
    }
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect()
    });
    words.collect::<Vec<String>>().concat()
}
