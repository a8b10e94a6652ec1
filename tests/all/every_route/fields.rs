//! Where a caller can put a text or any JSON: the parameters and the members of bodies that
//! `openapi.json` describes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where a value is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Path,
    Query,
    Header,
    /// A text in the body.
    Text,
    /// Whatever JSON there may be in the body.
    Json,
}

/// A place for a value of one operation.
#[derive(Clone, Debug)]
pub struct Field {
    pub place: Place,
    /// A parameter's name, or the names on the way to a member of the body; `0` is an entry of an
    /// array.
    pub way: Vec<String>,
    /// What must be in the body beside it.
    pub beside: Value,
}

impl Field {
    /// Its name in complaints: an array is complained of as a whole.
    pub fn name(&self) -> String {
        let names: Vec<&str> =
            self.way.iter().map(String::as_str).filter(|it| *it != "0").collect();
        names.join(".")
    }

    /// The body with a value in this place, as text; `value` is JSON, perhaps wrong.
    pub fn put(&self, base: &Value, value: &str) -> String {
        const HERE: &str = "@here@";
        let mut body = base.clone();
        merge(&mut body, &self.beside);
        let mut at = &mut body;
        for name in &self.way {
            at = match name.as_str() {
                "0" => {
                    if !at.is_array() {
                        *at = json!([]);
                    }
                    let items = at.as_array_mut().unwrap();
                    if items.is_empty() {
                        items.push(Value::Null);
                    }
                    &mut items[0]
                }
                name => {
                    if !at.is_object() {
                        *at = json!({});
                    }
                    &mut at[name]
                }
            };
        }
        *at = json!(HERE);
        body.to_string().replacen(&format!("\"{HERE}\""), value, 1)
    }
}

/// Adds what is in one JSON to another.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) if !into.is_empty() && !from.is_empty() => {
            merge(&mut into[0], &from[0]);
        }
        (into, from) => *into = from.clone(),
    }
}

/// Finds the fields of an operation.
pub struct Finder<'d> {
    document: &'d Value,
    found: Vec<Field>,
    known: BTreeSet<(Place, Vec<String>)>,
}

/// All fields of an operation as the document describes it.
pub fn fields_of(document: &Value, described: &Value) -> Vec<Field> {
    let mut finder = Finder { document, found: Vec::new(), known: BTreeSet::new() };
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let parameter = finder.resolve(parameter);
        let place = match parameter["in"].as_str().unwrap() {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            other => panic!("a parameter in {other}"),
        };
        let name = parameter["name"].as_str().unwrap().to_owned();
        // What it does not know it passes over, and nothing of it is kept.
        if name == "Prefer" || name == "Reef-Via" {
            continue;
        }
        finder.add(place, vec![name], Value::Null);
    }
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        finder.walk(body, &[], &Value::Null);
    }
    finder.found
}

impl<'d> Finder<'d> {
    fn add(&mut self, place: Place, way: Vec<String>, beside: Value) {
        if self.known.insert((place, way.clone())) {
            self.found.push(Field { place, way, beside });
        }
    }

    fn resolve(&self, schema: &'d Value) -> &'d Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let place = self.document.pointer(reference.trim_start_matches('#')).unwrap();
                self.resolve(place)
            }
            None => schema,
        }
    }

    /// Adds what is below `way`; `beside` is what a variant that lies on it asks for.
    fn walk(&mut self, schema: &'d Value, way: &[String], beside: &Value) {
        let schema = self.resolve(schema);
        let beside = &self.beside(schema, way, beside);
        for of in ["allOf", "anyOf", "oneOf"] {
            for variant in schema[of].as_array().into_iter().flatten() {
                // What only says which members there must be has none of its own.
                if variant.get("$ref").is_some() || variant.get("properties").is_some() {
                    self.walk(variant, way, beside);
                }
            }
        }
        let below = |name: &str| [way, &[name.to_owned()]].concat();
        if let Some(items) = schema.get("items") {
            self.walk(items, &below("0"), beside);
            return;
        }
        let properties = schema["properties"].as_object();
        for (name, member) in properties.into_iter().flatten() {
            self.walk(member, &below(name), beside);
        }
        if schema["additionalProperties"] == true && properties.is_some() {
            self.add(Place::Json, below("something"), beside.clone());
        }
        let is_composed = ["allOf", "anyOf", "oneOf"].iter().any(|of| schema.get(of).is_some());
        if properties.is_none() && !is_composed && !way.is_empty() {
            let is = |kind: &str| match &schema["type"] {
                Value::Array(kinds) => kinds.iter().any(|it| it == kind),
                one => one == kind,
            };
            let is_constant = schema["const"].is_string();
            if is("string") || is_constant {
                self.add(Place::Text, way.to_vec(), beside.clone());
            } else if is("object") || schema.get("type").is_none() {
                self.add(Place::Json, way.to_vec(), beside.clone());
            }
        }
    }

    /// What must be there beside a member: in a variant its constant, within a part the rest of it.
    fn beside(&self, schema: &'d Value, way: &[String], above: &Value) -> Value {
        let is_variant = schema["properties"]["content_type"].get("const").is_some();
        let mut own = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let is_asked_for =
                schema["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name));
            if is_asked_for && (is_variant || !way.is_empty()) {
                own.insert(name.clone(), self.sample(member));
            }
        }
        let mut beside = above.clone();
        if !own.is_empty() {
            let own =
                way.iter().rev().fold(Value::Object(own), |inner, name| match name.as_str() {
                    "0" => json!([inner]),
                    name => json!({name: inner}),
                });
            merge(&mut beside, &own);
        }
        beside
    }

    /// The least that a schema asks for.
    fn sample(&self, schema: &'d Value) -> Value {
        let schema = self.resolve(schema);
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(example) = schema["examples"].get(0) {
            return example.clone();
        }
        let mut members = Map::new();
        let choice = schema["anyOf"].as_array().and_then(|variants| variants.last());
        let asked_for = |schema: &'d Value| schema["required"].as_array().into_iter().flatten();
        for name in asked_for(schema).chain(choice.into_iter().flat_map(asked_for)) {
            let name = name.as_str().unwrap();
            members.insert(name.to_owned(), self.sample(&schema["properties"][name]));
        }
        let is_number = ["integer", "number"].iter().any(|kind| schema["type"] == *kind);
        match members.is_empty() {
            true if is_number => json!(1),
            true if schema["pattern"].is_string() => json!("some-name"),
            true => json!("https://example.org/x"),
            false => Value::Object(members),
        }
    }
}
