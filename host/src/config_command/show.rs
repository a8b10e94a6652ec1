//! `reef config show`.

use clap::Args;
use reef_commands::table::columns;
use reef_settings::{KNOWN, Origin, Settings, redis};
use serde_json::{Value, json};

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Say where each value comes from, and what else could set it
    #[arg(long)]
    origin: bool,
}

/// One line: name, value as it may be shown, origin, variables.
struct Row {
    name: &'static str,
    value: Option<String>,
    origin: Option<Origin>,
    variables: String,
}

pub(super) fn render(
    settings: &Settings,
    args: &ShowArgs,
    is_json: bool,
) -> Result<String, Failure> {
    let mut rows = vec![effective(settings)?];
    rows.extend(KNOWN.iter().map(|known| {
        let value = settings.value(known.name);
        Row {
            name: known.name,
            value: value.as_ref().map(|value| known.shown(&value.text)),
            origin: value.map(|value| value.origin),
            variables: known.variables.join(" "),
        }
    }));
    if is_json {
        let settings_json: Vec<_> = rows.iter().map(json_of).collect();
        return Ok(json!({"settings": settings_json, "notes": settings.notes()}).to_string());
    }
    let origin = |row: &Row| row.origin.as_ref().map(Origin::to_string).unwrap_or_default();
    let value = |row: &Row| row.value.clone().unwrap_or_default();
    let mut text = if args.origin {
        let rows = rows.iter();
        let rows =
            rows.map(|row| [row.name.to_owned(), value(row), origin(row), row.variables.clone()]);
        columns(["setting", "value", "from", "variables"], rows)
    } else {
        columns(["setting", "value"], rows.iter().map(|row| [row.name.to_owned(), value(row)]))
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
    Ok(Row { name: "redis", value: Some(value), origin: Some(origin), variables: String::new() })
}

fn json_of(row: &Row) -> Value {
    let (kind, place) = match &row.origin {
        Some(Origin::Flag(flag)) => ("flag", Some((*flag).to_owned())),
        Some(Origin::Environment(name)) => ("environment", Some((*name).to_owned())),
        Some(Origin::File(path)) => ("file", Some(path.display().to_string())),
        Some(Origin::Default) => ("default", None),
        None => ("unset", None),
    };
    json!({"name": row.name, "value": row.value, "origin": {"kind": kind, "name": place}})
}
