//! Reads the files.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::known::{File, KNOWN};
use crate::{Invalid, Origin, Value, replace};

/// Members that the older services have and that mean nothing here: the log goes to standard
/// error, and whoever keeps it also turns it over.
const WITHOUT_EFFECT: [&str; 2] = ["logging.max_bytes", "logging.backup_count"];

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) values: BTreeMap<&'static str, Value>,
    pub(crate) notes: Vec<String>,
}

/// Reads both files, as far as they are there.
pub(crate) fn read<'v>(
    folder: &Path,
    variable: &impl Fn(&str) -> Option<&'v str>,
) -> Result<Found, Invalid> {
    let mut found = Found::default();
    for (file, name) in [(File::Secrets, "secrets.json"), (File::Config, "config.json")] {
        let path = folder.join(name);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(Invalid(format!("cannot read {}: {error}", path.display())));
            }
        };
        if file == File::Secrets && others_can_read(&path) {
            let words = "others on this machine can read it; chmod 600 would keep it private";
            found.notes.push(format!("{}: {words}", path.display()));
        }
        let object: Map<String, Json> = serde_json::from_str(&text).map_err(|error| {
            // The error's own words may repeat a part of the file.
            let (line, column) = (error.line(), error.column());
            let place = path.display();
            Invalid(format!("{place} is no JSON object: line {line}, column {column}"))
        })?;
        for (member, value) in flat(&object) {
            take(&mut found, file, &path, &member, value, variable)?;
        }
    }
    Ok(found)
}

/// The members of an object's objects, by their paths.
fn flat(object: &Map<String, Json>) -> Vec<(String, &Json)> {
    let mut all = Vec::new();
    for (name, value) in object {
        match value {
            Json::Object(inner) => {
                all.extend(inner.iter().map(|(member, value)| (format!("{name}.{member}"), value)));
            }
            other => all.push((name.clone(), other)),
        }
    }
    all
}

fn take<'v>(
    found: &mut Found,
    file: File,
    path: &Path,
    member: &str,
    value: &Json,
    variable: &impl Fn(&str) -> Option<&'v str>,
) -> Result<(), Invalid> {
    let place = path.display();
    let known = KNOWN.iter().find(|known| known.name == member && known.file == Some(file));
    let Some(known) = known else {
        let why = if WITHOUT_EFFECT.contains(&member) {
            "has no effect: the log goes to standard error"
        } else {
            "is not known and has no effect"
        };
        found.notes.push(format!("{place}: {member} {why}"));
        return Ok(());
    };
    let text = match value {
        Json::Null => return Ok(()),
        Json::String(text) => replace::variables(text, variable)
            .map_err(|why| Invalid(format!("{place}: {member} {why}")))?,
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        Json::Array(_) | Json::Object(_) => {
            return Err(Invalid(format!("{place}: {member} must be a text or a number")));
        }
    };
    if !text.is_empty() {
        let origin = Origin::File(path.to_owned());
        found.values.insert(known.name, Value { text, origin });
    }
    Ok(())
}

/// Whether others than its owner can read a file.
pub(crate) fn others_can_read(path: &Path) -> bool {
    has_mode(path, 0o077)
}

/// Whether everybody can change a file.
pub(crate) fn others_can_write(path: &Path) -> bool {
    has_mode(path, 0o002)
}

#[cfg(unix)]
fn has_mode(path: &Path, bits: u32) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|it| it.permissions().mode() & bits != 0)
}

#[cfg(not(unix))]
fn has_mode(_: &Path, _: u32) -> bool {
    false
}
