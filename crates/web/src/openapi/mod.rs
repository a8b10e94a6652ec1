//! How the routes of a component are described, for `openapi.json` alone: none of this is in a
//! component's wasm.
//!
//! A component says of each line of its route table what it does, what it takes and what it
//! answers. What is in the table (method, path, scope, largest body) is not said again, and
//! which problems follow from it is known here. Schemas are made from the types that handlers read
//! and write; bounds, which handlers check by code, are added to them with the same constants.

mod fields;
mod operation;
mod problems;
pub mod schema;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

pub use fields::Fields;
pub use operation::{Describe, HOST, Operation, idempotency_key, prefer, reason, via};

use crate::auth::Access;
use crate::route::Route;

/// What a table says of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `GET POST PUT PATCH DELETE`
    pub method: &'static str,
    /// The path; `{name}` is a segment.
    pub path: &'static str,
    /// What the caller must be allowed to do.
    pub access: Access,
    /// Largest body, in bytes.
    pub body_max: usize,
}

impl<R> From<&Route<R>> for Line {
    fn from(route: &Route<R>) -> Self {
        let Route { method, path, access, body_max, .. } = *route;
        Self { method, path, access, body_max }
    }
}

/// The routes of everybody, as far as they are described.
#[derive(Debug)]
pub struct Api {
    /// Schemas of what is read.
    reader: SchemaGenerator,
    /// Schemas of what is written: there, what may be `null` is there all the same.
    writer: SchemaGenerator,
    operations: Vec<Operation>,
    server: &'static str,
    group: &'static str,
    lines: Vec<Line>,
    faults: Vec<String>,
}

impl Default for Api {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = Cow::Borrowed("/components/schemas");
            settings.meta_schema = None;
        });
        Self {
            reader: settings.clone().for_deserialize().into_generator(),
            writer: settings.for_serialize().into_generator(),
            operations: Vec::new(),
            server: "",
            group: "",
            lines: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Api {
    /// Lets `describe` describe the routes of a table that `server` answers.
    pub fn serve(
        &mut self,
        server: &'static str,
        lines: impl IntoIterator<Item = Line>,
        describe: impl FnOnce(&mut Self),
    ) {
        self.server = server;
        self.lines = lines.into_iter().collect();
        describe(self);
        let forgotten = self
            .lines
            .iter()
            .map(|line| format!("{} {} of {server} is not described", line.method, line.path));
        self.faults.extend(forgotten);
    }

    /// The group under which the routes that follow are shown.
    pub fn group(&mut self, name: &'static str) {
        self.group = name;
    }

    /// Describes a route: `id` is what generated clients call it, `summary` what people do.
    pub fn route(
        &mut self,
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Describe<'_> {
        let position =
            self.lines.iter().position(|line| line.method == method && line.path == path);
        let line = match position {
            Some(position) => self.lines.remove(position),
            None => {
                self.faults.push(format!("{} has no route {method} {path}", self.server));
                Line { method, path, access: Access::Open, body_max: 0 }
            }
        };
        if self.operations.iter().any(|other| other.id == id) {
            self.faults.push(format!("two routes are called {id}"));
        }
        self.operations.push(Operation::new(line, self.server, self.group, (id, summary)));
        Describe(self)
    }

    /// `GET` of a path.
    pub fn get(
        &mut self,
        path: &'static str,
        id: &'static str,
        what: &'static str,
    ) -> Describe<'_> {
        self.route("GET", path, id, what)
    }

    /// `POST` to a path.
    pub fn post(
        &mut self,
        path: &'static str,
        id: &'static str,
        what: &'static str,
    ) -> Describe<'_> {
        self.route("POST", path, id, what)
    }

    /// `PUT` to a path.
    pub fn put(
        &mut self,
        path: &'static str,
        id: &'static str,
        what: &'static str,
    ) -> Describe<'_> {
        self.route("PUT", path, id, what)
    }

    /// `PATCH` of a path.
    pub fn patch(
        &mut self,
        path: &'static str,
        id: &'static str,
        what: &'static str,
    ) -> Describe<'_> {
        self.route("PATCH", path, id, what)
    }

    /// `DELETE` of a path.
    pub fn delete(
        &mut self,
        path: &'static str,
        id: &'static str,
        what: &'static str,
    ) -> Describe<'_> {
        self.route("DELETE", path, id, what)
    }

    /// The fields of a type that a handler reads, to say of them what the type does not.
    pub fn body<T: JsonSchema>(&mut self) -> Fields<'_> {
        fields::<T>(&mut self.reader, &mut self.faults)
    }

    /// The fields of a type that a handler answers with.
    pub fn answer<T: JsonSchema>(&mut self) -> Fields<'_> {
        fields::<T>(&mut self.writer, &mut self.faults)
    }

    /// A schema that no type stands for, such as that of what a script has rendered.
    pub fn define(&mut self, name: &str, schema: Value) {
        self.writer.definitions_mut().insert(name.to_owned(), schema);
    }

    /// What was described, and the schemas under their names.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub fn finish(mut self) -> Result<(Vec<Operation>, BTreeMap<String, Value>), String> {
        if !self.faults.is_empty() {
            return Err(self.faults.join("\n"));
        }
        let mut schemas: BTreeMap<String, Value> =
            self.reader.take_definitions(true).into_iter().collect();
        for (name, mut schema) in self.writer.take_definitions(true) {
            // What a client takes for a field that an older hub leaves out is no part of the answer.
            if let Some(Value::Object(fields)) = schema.get_mut("properties") {
                for field in fields.values_mut().filter_map(Value::as_object_mut) {
                    field.remove("default");
                }
            }
            if schemas.get(&name).is_some_and(|other| *other != schema) {
                return Err(format!("two types are called {name}"));
            }
            schemas.insert(name, schema);
        }
        Ok((self.operations, schemas))
    }
}

fn fields<'a, T: JsonSchema>(
    generator: &'a mut SchemaGenerator,
    faults: &'a mut Vec<String>,
) -> Fields<'a> {
    generator.subschema_for::<T>();
    let name = T::schema_name();
    Fields::new(generator.definitions_mut().get_mut(name.as_ref()), name, faults)
}
