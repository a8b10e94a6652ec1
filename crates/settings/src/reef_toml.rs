//! `reef.toml`: flags, settings and variables in one file, each with the line on which it stands.
//!
//! A flag is a key above the first table, a setting of [`KNOWN`](crate::KNOWN) one below the table
//! of its group, a variable of the hub one below `[variables]`. Which flags and variables there are
//! the host knows: it looks at [`ReefToml::entries`] and refuses what nobody has.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::{Invalid, Origin, Value, files, replace};

/// The file where nothing else is said.
pub const REEF_TOML: &str = "reef.toml";
/// The table of the hub's variables.
pub const VARIABLES: &str = "variables.";
/// How alike two names must be for one to be a slip of the other: what clap asks of flags is 0.7.
const ALIKE: f64 = 0.8;

/// What stands in the file.
#[derive(Debug, Clone)]
pub struct ReefToml {
    path: PathBuf,
    entries: Vec<Entry>,
    others_can_read: bool,
}

/// A key that has a value.
#[derive(Clone)]
pub struct Entry {
    /// The key, behind the name of its table and a dot.
    pub key: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The value as a text; those of a list.
    pub texts: Vec<String>,
    /// Whether it is a list.
    pub is_list: bool,
    /// Whether the file names an environment variable in place of the value.
    pub is_elsewhere: bool,
}

// Without the value, which may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("line", &self.line).finish()
    }
}

impl Entry {
    /// The value as one text; of a list, with commas between.
    #[must_use]
    pub fn text(&self) -> String {
        self.texts.join(",")
    }

    /// Whether it says anything: an empty text or list stands for what is not set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.texts.iter().any(|text| !text.is_empty())
    }
}

impl ReefToml {
    /// Reads the file that was named, or the one of the current folder, if it is there.
    pub(crate) fn load<'v>(
        named: Option<&Path>,
        variable: &impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Option<Self>, Invalid> {
        let path = named.unwrap_or(Path::new(REEF_TOML));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
                return Ok(None);
            }
            Err(error) => {
                return Err(Invalid(format!("cannot read {}: {error}", path.display())));
            }
        };
        if files::others_can_write(path) {
            return Err(Invalid(format!(
                "everybody on this machine can change {0}, and so decide what runs here; close it \
                 with: chmod o-w {0}",
                path.display()
            )));
        }
        let others_can_read = files::others_can_read(path);
        let mut read = Self { path: path.to_owned(), entries: Vec::new(), others_can_read };
        read.parse(&text, variable)?;
        Ok(Some(read))
    }

    fn parse<'v>(
        &mut self,
        text: &str,
        variable: &impl Fn(&str) -> Option<&'v str>,
    ) -> Result<(), Invalid> {
        let line_at = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            // The error's text would show the line, and so a secret that stands there.
            let line = error.span().map_or(1, |span| line_at(span.start));
            Invalid(format!("{}:{line}: {}", self.path.display(), error.message()))
        })?;
        for (key, value) in table.get_ref() {
            let line = line_at(key.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => {
                    for (member, value) in inner {
                        let key = format!("{}.{}", key.get_ref(), member.get_ref());
                        let line = line_at(member.span().start);
                        self.take(key, line, value.get_ref(), variable)?;
                    }
                }
                value => self.take(key.get_ref().to_string(), line, value, variable)?,
            }
        }
        self.entries.sort_by_key(|entry| entry.line);
        Ok(())
    }

    fn take<'v>(
        &mut self,
        key: String,
        line: usize,
        value: &DeValue<'_>,
        variable: &impl Fn(&str) -> Option<&'v str>,
    ) -> Result<(), Invalid> {
        let wrong = |why: &str| self.wrong(line, &key, why);
        let mut is_elsewhere = false;
        let mut one = |value: &DeValue<'_>| match value {
            DeValue::String(text) => {
                is_elsewhere |= text.starts_with("${") && text.ends_with('}');
                replace::variables(text, variable).map_err(|why| wrong(&why.to_string()))
            }
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| wrong("is too large a number")),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Ok(flag.to_string()),
            _ => Err(wrong("must be a text, a number, true or false, or a list of texts")),
        };
        let (texts, is_list) = match value {
            DeValue::Array(values) => {
                let texts: Result<_, _> = values.iter().map(|value| one(value.get_ref())).collect();
                (texts?, true)
            }
            value => (vec![one(value)?], false),
        };
        self.entries.push(Entry { key, line, texts, is_list, is_elsewhere });
        Ok(())
    }

    /// The keys that have a value, in the order of their lines.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A key that has a value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key && entry.is_set())
    }

    /// The value of a key that may have one only.
    pub(crate) fn value(&self, key: &str) -> Result<Option<Value>, Invalid> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        if entry.is_list {
            return Err(self.wrong(entry.line, key, "must be a text or a number, not a list"));
        }
        Ok(Some(Value { text: entry.text(), origin: self.origin(entry) }))
    }

    /// Where an entry stands.
    #[must_use]
    pub fn origin(&self, entry: &Entry) -> Origin {
        Origin::Line(self.path.clone(), entry.line)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others on this machine can read it.
    #[must_use]
    pub fn others_can_read(&self) -> bool {
        self.others_can_read
    }

    /// What is wrong with a key.
    #[must_use]
    pub fn wrong(&self, line: usize, key: &str, why: &str) -> Invalid {
        Invalid(format!("{}:{line}: {key} {why}", self.path.display()))
    }

    /// Refuses a key that is none of `known`, with what it may have been meant for.
    #[must_use]
    pub fn unknown(&self, entry: &Entry, known: &[String]) -> Invalid {
        let (table, name) = entry.key.rsplit_once('.').unwrap_or(("", &entry.key));
        let same =
            known.iter().find(|it| it.rsplit_once('.').map_or(it.as_str(), |it| it.1) == name);
        let same = same.map(|it| it.rsplit_once('.').map_or("", |it| it.0));
        let why = match same {
            Some("") => "is a flag: write it above the first table".to_owned(),
            Some(other) if other != table => format!("belongs below [{other}]"),
            _ => match nearest(&entry.key, known) {
                Some(near) => format!("is not known; is {near} meant?"),
                None => "is not known; `reef init` writes a file with all that are".to_owned(),
            },
        };
        self.wrong(entry.line, &entry.key, &why)
    }
}

/// The name that is most like a given one, if any is.
fn nearest<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= ALIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ReefToml, String> {
        let mut file =
            ReefToml { path: "reef.toml".into(), entries: Vec::new(), others_can_read: false };
        let variable = |name: &str| (name == "SET").then_some("sesame");
        file.parse(text, &variable).map_err(|error| error.to_string())?;
        Ok(file)
    }

    #[test]
    fn values_are_texts_and_know_their_line() {
        let text = "# one\nlisten = 'a:1'\ntick = 1_000\nsend_timeout = 2.50\ninsecure = true\n\
                    alert_url = ['x', 'y']\n\n[variables]\nkey_prefix = '${SET}'\nempty = ''\n";
        let file = read(text).unwrap();
        let shown: Vec<_> = file
            .entries()
            .iter()
            .map(|it| format!("{}:{}={}", it.line, it.key, it.text()))
            .collect();
        let expected = [
            "2:listen=a:1",
            "3:tick=1000",
            "4:send_timeout=2.50",
            "5:insecure=true",
            "6:alert_url=x,y",
            "9:variables.key_prefix=sesame",
            "10:variables.empty=",
        ];
        assert_eq!(shown, expected);
        assert!(file.entry("variables.key_prefix").unwrap().is_elsewhere);
        assert!(file.entry("variables.empty").is_none());
        assert!(!format!("{file:?}").contains("sesame"));
        assert!(file.value("alert_url").is_err());
    }

    #[test]
    fn what_is_wrong_names_the_line_and_no_value() {
        for (text, said) in [
            ("a = 1\nlisten = sesame\n", "reef.toml:2: "),
            ("a = 1\na = 'sesame'\n", "reef.toml:2: "),
            ("\nx = [['sesame']]\n", "reef.toml:2: x must be"),
            ("x = '${NOPE}sesame'\n", "reef.toml:1: x wants ${NOPE}"),
            ("x = 2026-01-01\n", "reef.toml:1: x must be"),
            ("[a.b]\nc = 'sesame'\n", "reef.toml:1: a.b must be"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said) && !error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_what_was_meant() {
        let known = ["listen", "auth_mode", "redis.port", "variables.key_prefix"];
        let known: Vec<String> = known.iter().map(|it| (*it).to_owned()).collect();
        for (text, said) in [
            ("lisen = 1", "is listen meant"),
            ("max-x = 1", "reef init"),
            ("key_prefix = 1", "belongs below [variables]"),
            ("variables.auth_mode = 1", "above the first table"),
            ("variables.key_prefx = 1", "is variables.key_prefix meant"),
        ] {
            let file = read(text).unwrap();
            let error = file.unknown(&file.entries()[0], &known).to_string();
            assert!(error.starts_with("reef.toml:1: ") && error.contains(said), "{error}");
        }
    }
}
