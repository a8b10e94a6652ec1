//! The part of Spin's runtime configuration file that this host understands.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What a runtime configuration file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuntimeConfig {
    #[serde(default, rename = "variables_provider", alias = "config_provider")]
    providers: Vec<Provider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    r#type: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
}

impl RuntimeConfig {
    /// Reads a runtime configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else than static variables.
    pub(crate) fn load(file: &Path) -> Result<Self> {
        let place = || format!("the runtime configuration {}", file.display());
        let text = std::fs::read_to_string(file).with_context(place)?;
        Self::parse(&text).with_context(place)
    }

    fn parse(text: &str) -> Result<Self> {
        const SUPPORTED: &str = "supported is [[variables_provider]] of type \"static\" with \
                                 `values`";
        let config: Self = toml::from_str(text)
            .map_err(|e| anyhow::anyhow!("{}\n{SUPPORTED}", e.to_string().trim_end()))?;
        for provider in &config.providers {
            ensure!(
                provider.r#type == "static",
                "a variables provider of type {:?} is not supported; {SUPPORTED}",
                provider.r#type
            );
        }
        Ok(config)
    }

    /// The values it provides; of two providers the earlier one wins, as with Spin.
    pub(crate) fn into_values(self) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for provider in self.providers {
            for (name, value) in provider.values {
                values.entry(name).or_insert(value);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::RuntimeConfig;

    #[test]
    fn the_earlier_static_provider_wins() {
        let text = r#"
            [[variables_provider]]
            type = "static"
            values = { a = "1" }
            [[variables_provider]]
            type = "static"
            values = { a = "2", b = "3" }
        "#;
        let values = RuntimeConfig::parse(text).unwrap().into_values();
        assert_eq!(values.get("a").map(String::as_str), Some("1"));
        assert_eq!(values.get("b").map(String::as_str), Some("3"));
    }

    #[test]
    fn other_parts_are_refused_by_name() {
        for text in [
            "[[variables_provider]]\ntype = \"vault\"",
            "[key_value_store.default]\ntype = \"redis\"",
            "[[variables_provider]]\ntype = \"static\"\nurl = \"x\"",
        ] {
            let error = format!("{:#}", RuntimeConfig::parse(text).unwrap_err());
            assert!(error.contains("supported is"), "{error}");
        }
    }
}
