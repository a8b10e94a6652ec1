//! `reef config show`.

use clap::Args;
use reef_commands::table::columns;
use reef_settings::{KNOWN, Origin, Settings, VARIABLES, redis};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::reef_toml::{environment_of, flags, overridden_by, variables};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Say where each value comes from, and what else could set it
    #[arg(long)]
    origin: bool,
}

/// One line: name, value as it may be shown, where it comes from, variables.
struct Row {
    name: String,
    value: Option<String>,
    /// What kind of place that is, its name, and how it is shown.
    origin: Option<(&'static str, Option<String>, String)>,
    variables: String,
}

/// Every value as it may be shown, and where it comes from.
pub(crate) fn to_json(settings: &Settings) -> Result<Value, Failure> {
    let settings_json: Vec<_> = rows(settings)?.iter().map(json_of).collect();
    Ok(json!({"settings": settings_json, "notes": settings.notes()}))
}

fn rows(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let mut rows = vec![effective(settings)?];
    rows.extend(KNOWN.iter().map(|known| {
        let flag = known.key().map(|key| format!("--{}", key.replace('_', "-")));
        let given = flag.and_then(|flag| Some((typed(&flag, "")?, flag)));
        let (value, origin) = match (given, settings.value(known.name)) {
            (Some((text, flag)), _) => (Some(text), Some(("flag", Some(flag.clone()), flag))),
            (None, Some(value)) => (Some(value.text), Some(place(&value.origin))),
            (None, None) => (None, None),
        };
        Row {
            name: known.name.to_owned(),
            value: value.map(|text| known.shown(&text)),
            origin,
            variables: known.variables.join(" "),
        }
    }));
    let others = flags();
    let others = others.iter().filter(|flag| KNOWN.iter().all(|it| it.key() != Some(&flag.key)));
    rows.extend(others.map(|flag| {
        let is_secret = flag.arg.is_hide_env_values_set();
        let flag_name = flag.arg.get_long().map(|long| format!("--{long}")).unwrap_or_default();
        let given = typed(&flag_name, "").map(|value| (flag_name, value));
        keyed(settings, &flag.key, is_secret, given, &flag.default())
    }));
    rows.extend(variables().map(|variable| {
        let key = format!("{VARIABLES}{}", variable.name);
        let given = typed("--variable", &format!("{}=", variable.name));
        let given = given.map(|value| ("--variable".to_owned(), value));
        keyed(settings, &key, variable.is_secret, given, variable.default)
    }));
    Ok(rows)
}

pub(super) fn render(
    settings: &Settings,
    args: &ShowArgs,
    is_json: bool,
) -> Result<String, Failure> {
    if is_json {
        return to_json(settings).map(|json| json.to_string());
    }
    let rows = rows(settings)?;
    let origin = |row: &Row| row.origin.as_ref().map(|it| it.2.clone()).unwrap_or_default();
    let value = |row: &Row| row.value.clone().unwrap_or_default();
    let mut text = if args.origin {
        let rows = rows.iter();
        let rows =
            rows.map(|row| [row.name.clone(), value(row), origin(row), row.variables.clone()]);
        columns(["setting", "value", "from", "variables"], rows)
    } else {
        columns(["setting", "value"], rows.iter().map(|row| [row.name.clone(), value(row)]))
    };
    for note in settings.notes() {
        text.push_str(&format!("\n\nnote: {note}"));
    }
    Ok(text)
}

/// The address that is used in the end.
fn effective(settings: &Settings) -> Result<Row, Failure> {
    let address = settings.redis().map_err(Failure::usage)?;
    let (value, origin) = match address {
        Some(address) => (redis::masked(&address.url), address.origin),
        None => ("a private Redis of `reef up`".to_owned(), Origin::Default),
    };
    let (name, origin) = ("redis".to_owned(), Some(place(&origin)));
    Ok(Row { name, value: Some(value), origin, variables: String::new() })
}

/// What this process was started with: the last value of a flag that begins so, without how it begins.
/// A switch has none, and is on.
fn typed(flag: &str, begins: &str) -> Option<String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let given = args.iter().enumerate().rev().find_map(|(n, arg)| {
        let rest = arg.strip_prefix(flag).filter(|_| !flag.is_empty())?;
        let value = match rest.strip_prefix('=') {
            Some(value) => value,
            None if rest.is_empty() => args
                .get(n + 1)
                .filter(|next| !next.starts_with("--"))
                .map_or("true", String::as_str),
            None => return None,
        };
        value.strip_prefix(begins).map(str::to_owned)
    })?;
    Some(given)
}

/// A flag or a variable: as it was typed, else from the environment, else from `reef.toml`, else the
/// default.
fn keyed(
    settings: &Settings,
    key: &str,
    is_secret: bool,
    given: Option<(String, String)>,
    default: &str,
) -> Row {
    let in_file = settings.toml().and_then(|toml| Some((toml, toml.entry(key)?)));
    // What the files of config/ may set, too.
    let in_files = match key.strip_prefix(VARIABLES) {
        Some("heartbeat_ttl_seconds") => settings.given("node.heartbeat_ttl"),
        _ => None,
    };
    let (text, origin) = if let Some((flag, value)) = given {
        let words = flag.clone();
        (value, Some(("flag", Some(flag), words)))
    } else if let Some(name) = overridden_by(key) {
        let words = format!("{name} in the environment");
        (std::env::var(&name).unwrap_or_default(), Some(("environment", Some(name), words)))
    } else if let Some((toml, entry)) = in_file {
        (entry.text(), Some(place(&toml.origin(entry))))
    } else if let Some(value) = in_files {
        (value.text.clone(), Some(place(&value.origin)))
    } else if default.is_empty() {
        (String::new(), None)
    } else {
        (default.to_owned(), Some(place(&Origin::Default)))
    };
    let value = origin.as_ref().map(|_| if is_secret { "********".to_owned() } else { text });
    Row { name: key.to_owned(), value, origin, variables: environment_of(key).join(" ") }
}

fn place(origin: &Origin) -> (&'static str, Option<String>, String) {
    let kind = match origin {
        Origin::Flag(_) => "flag",
        Origin::Environment(_) => "environment",
        Origin::Line(..) | Origin::File(_) => "file",
        Origin::Default => "default",
    };
    let name = match origin {
        Origin::Flag(name) | Origin::Environment(name) => Some((*name).to_owned()),
        Origin::Line(..) | Origin::File(_) => Some(origin.to_string()),
        Origin::Default => None,
    };
    (kind, name, origin.to_string())
}

fn json_of(row: &Row) -> Value {
    let (kind, name) = match &row.origin {
        Some((kind, name, _)) => (*kind, name.clone()),
        None => ("unset", None),
    };
    json!({"name": row.name, "value": row.value, "origin": {"kind": kind, "name": name}})
}
