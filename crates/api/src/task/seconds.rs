//! A duration as the older services showed it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lax;

/// A duration that is shown in seconds: whole ones without a fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seconds {
    /// In milliseconds.
    pub ms: i64,
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.ms % 1000 == 0 {
            return serializer.serialize_i64(self.ms / 1000);
        }
        #[allow(clippy::cast_precision_loss, reason = "a week of milliseconds is exact")]
        serializer.serialize_f64(self.ms as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = lax::float(deserializer)?.unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, reason = "`as` stops at the ends")]
        Ok(Self { ms: (seconds * 1000.0).round() as i64 })
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}
