//! The order of fields, which `serde_json::Value` forgets.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

struct FieldNames(Vec<String>);

impl<'de> Deserialize<'de> for FieldNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = FieldNames;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldNames, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(FieldNames(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// The names of a JSON object's fields, in the order in which they were sent.
pub fn field_names(object: &str) -> Vec<String> {
    let FieldNames(names) = serde_json::from_str(object).unwrap_or_else(|error| {
        panic!("not a JSON object ({error}): {object}");
    });
    names
}
