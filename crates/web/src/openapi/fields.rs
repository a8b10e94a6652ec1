//! What handlers check by code, added to the schema of the type that they read.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The fields of a type.
#[derive(Debug)]
pub struct Fields<'a> {
    schema: Option<&'a mut Value>,
    name: Cow<'static, str>,
    faults: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        schema: Option<&'a mut Value>,
        name: Cow<'static, str>,
        faults: &'a mut Vec<String>,
    ) -> Self {
        let fields = Self { schema, name, faults };
        if fields.schema.is_none() {
            fields.faults.push(format!("{} is no object", fields.name));
        }
        fields
    }

    /// Fields that must be there, and not be `null`: handlers read them as optional, to complain
    /// in their own words.
    pub fn require(mut self, names: &[&str]) -> Self {
        for name in names {
            if let Some(field) = self.field(name) {
                forbid_null(field);
            }
        }
        if let Some(schema) = self.schema.as_deref_mut().and_then(Value::as_object_mut) {
            let required = schema.entry("required").or_insert_with(|| Value::Array(Vec::new()));
            if let Some(required) = required.as_array_mut() {
                required.extend(names.iter().map(|name| Value::from(*name)));
            }
        }
        self
    }

    /// Adds to the schema of a field. Where `null` is possible it stays so.
    pub fn set(mut self, name: &str, more: Value) -> Self {
        let Some(field) = self.field(name) else { return self };
        let may_be_null = allows_null(field);
        let has_type = field.contains_key("type");
        if let Value::Object(more) = more {
            for (key, mut value) in more {
                if may_be_null
                    && key == "enum"
                    && let Some(words) = value.as_array_mut()
                {
                    words.push(Value::Null);
                }
                // The type's own is as exact, and knows of `null`.
                if key != "type" || !has_type {
                    field.insert(key, value);
                }
            }
        }
        self
    }

    /// Says something of a field.
    pub fn says(self, name: &str, what: &str) -> Self {
        self.set(name, serde_json::json!({ "description": what }))
    }

    /// Leaves a field out: it is no part of the contract here.
    pub fn without(mut self, name: &str) -> Self {
        let removed = self.properties().and_then(|properties| properties.remove(name));
        if removed.is_none() {
            self.faults.push(format!("{} has no field {name}", self.name));
        }
        self
    }

    /// What holds for the whole object.
    pub fn whole(mut self, more: Value) -> Self {
        if let (Some(Value::Object(schema)), Value::Object(more)) =
            (self.schema.as_deref_mut(), more)
        {
            schema.extend(more);
        }
        self
    }

    fn properties(&mut self) -> Option<&mut Map<String, Value>> {
        self.schema.as_deref_mut()?.get_mut("properties")?.as_object_mut()
    }

    fn field(&mut self, name: &str) -> Option<&mut Map<String, Value>> {
        let is_there = self.properties().is_some_and(|properties| properties.contains_key(name));
        if !is_there {
            self.faults.push(format!("{} has no field {name}", self.name));
            return None;
        }
        let field = self.properties()?.get_mut(name)?;
        // `true` is the schema of anything.
        if field.is_boolean() {
            *field = Value::Object(Map::new());
        }
        field.as_object_mut()
    }
}

fn allows_null(field: &Map<String, Value>) -> bool {
    let of_types = field.get("type").and_then(Value::as_array);
    of_types.is_some_and(|types| types.iter().any(|one| one == "null"))
}

fn forbid_null(field: &mut Map<String, Value>) {
    let types = field.get_mut("type").and_then(Value::as_array_mut);
    if let Some(types) = types {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            field.insert("type".to_owned(), only);
        }
    }
    // An optional type with a name.
    let rest = field.get_mut("anyOf").and_then(Value::as_array_mut).map(|choices| {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        choices.clone()
    });
    if let Some([Value::Object(only)]) = rest.as_deref() {
        field.remove("anyOf");
        field.extend(only.clone());
    }
}
