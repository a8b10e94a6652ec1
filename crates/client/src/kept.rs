//! A value beside the JSON that it came as.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A value, and the JSON that it came as, which may say more than this program knows. It is written as
/// it came.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Kept<T> {
    json: Box<RawValue>,
    /// The value.
    #[serde(skip)]
    pub value: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        Ok(Self { json, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_written_as_it_came() {
        #[derive(Deserialize)]
        struct Part {
            a: i64,
        }
        let text = r#"{"b":1e2,"a":7}"#;
        let kept: Kept<Part> = serde_json::from_str(text).unwrap();
        assert_eq!(kept.value.a, 7);
        assert_eq!(serde_json::to_string(&kept).unwrap(), text);
    }
}
