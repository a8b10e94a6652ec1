//! The events of the cluster: `events.toml` as functions for the scripts and as a list for Rust.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Failure;

#[derive(serde::Deserialize)]
pub(crate) struct Catalogue {
    event: Vec<Shape>,
}

/// One or several events that say the same of something.
#[derive(serde::Deserialize)]
struct Shape {
    name: String,
    types: Vec<String>,
    doc: String,
    /// The kinds of alerts that some of them are.
    #[serde(default)]
    alerts: BTreeMap<String, String>,
    /// Whoever tells of it says its place in the log.
    #[serde(default)]
    placed: bool,
    fields: Vec<Field>,
}

#[derive(serde::Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    or_null: bool,
    #[serde(default)]
    or_none: bool,
    doc: String,
}

impl Catalogue {
    /// Lua functions `tell_<name>`, set apart by blank lines, as parts of an include.
    pub(crate) fn lua(&self) -> Result<String, Failure> {
        let mut lua = String::new();
        for Shape { name, types, placed, fields, .. } in &self.event {
            let mut parameters: Vec<&str> =
                fields.iter().map(|field| field.name.as_str()).collect();
            let told = match types.as_slice() {
                [only] => format!("'{only}'"),
                _ => {
                    parameters.insert(0, "told");
                    "told".to_owned()
                }
            };
            let place = if *placed { ", place" } else { "" };
            if *placed {
                parameters.push("place");
            }
            let mut parts = Vec::new();
            for (i, field) in fields.iter().enumerate() {
                parts.push(field.lua(if i == 0 { "{" } else { "," })?);
            }
            let parameters = parameters.join(", ");
            // Texts that meet are one, so that Redis has less to put together.
            let payload = parts.join("\n    .. ").replace("'\n    .. '", "").replace("' .. '", "");
            writeln!(lua, "\nlocal function tell_{name}({parameters})")?;
            writeln!(lua, "  emit({told}, {payload} .. '}}'{place})\nend")?;
        }
        Ok(lua)
    }

    /// The enum `EventType`, and what there is to know of each.
    pub(crate) fn rust(&self) -> Result<String, Failure> {
        let types: Vec<(&str, &Shape)> = self
            .event
            .iter()
            .flat_map(|shape| shape.types.iter().map(move |name| (name.as_str(), shape)))
            .collect();
        let mut rust = String::from(
            "/// What an event of the cluster tells.\n\
             #[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum EventType {\n",
        );
        for (name, shape) in &types {
            writeln!(rust, "/// `{name}`: {}\n{},", shape.doc, variant(name))?;
        }
        writeln!(rust, "}}\n/// All events.\npub const CATALOGUE: &[Entry] = &[")?;
        for (name, shape) in &types {
            let alert = shape.alerts.get(*name);
            writeln!(
                rust,
                "Entry {{ event_type: EventType::{}, name: {name:?}, doc: {:?}, alert: {alert:?}, \
                 fields: &[",
                variant(name),
                shape.doc
            )?;
            for Field { name, kind, or_null, or_none, doc } in &shape.fields {
                let json = match kind.as_str() {
                    "int" => "integer",
                    "bool" => "boolean",
                    "labels" => "array",
                    _ => "string",
                };
                writeln!(
                    rust,
                    "Field {{ name: {name:?}, json: {json:?}, or_null: {or_null}, \
                     or_none: {or_none}, doc: {doc:?} }},"
                )?;
            }
            rust.push_str("] },\n");
        }
        rust.push_str("];\n");
        Ok(rust)
    }
}

impl Field {
    /// An expression for `,"name":value`.
    fn lua(&self, before: &str) -> Result<String, Failure> {
        let Self { name, kind, or_null, or_none, .. } = self;
        let value = match kind.as_str() {
            "id" => format!("'\"' .. {name} .. '\"'"),
            "text" => format!("quoted({name})"),
            "int" | "labels" => name.clone(),
            "bool" => format!("tostring({name})"),
            other => return Err(format!("events.toml: {other:?} is no type of a field").into()),
        };
        let label = format!("'{before}\"{name}\":'");
        Ok(match (or_null, or_none) {
            (true, _) => format!("{label} .. (({name} or '') ~= '' and {value} or 'null')"),
            (_, true) => format!("({name} and {label} .. {value} or '')"),
            _ => format!("{label} .. {value}"),
        })
    }
}

/// `task_moved` as `TaskMoved`.
fn variant(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}
