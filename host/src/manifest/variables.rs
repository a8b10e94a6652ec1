//! Where the values of an application's variables come from.
//!
//! From strongest to weakest: `--variable`, the host's own flags (`--auth-mode`, `--redis-url`,
//! …), `SPIN_VARIABLE_<NAME>`, the runtime configuration, `reef.toml` and the files of `config/`, the
//! manifest's default.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::Manifest;

/// The layers, strongest first, before they meet a manifest.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// `--variable`.
    pub(crate) typed: BTreeMap<String, String>,
    /// What the host's own flags set.
    pub(crate) flags: BTreeMap<String, String>,
    /// `SPIN_VARIABLE_<NAME>`.
    pub(crate) environment: BTreeMap<String, String>,
    /// The runtime configuration's static providers, and what weaker files add to them.
    pub(crate) provided: BTreeMap<String, String>,
}

/// The values of all variables of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Layers {
    /// Reads `NAME=VALUE` pairs as typed.
    ///
    /// # Errors
    /// A pair without `=` or without a name, or a name given twice.
    pub(crate) fn type_in(&mut self, pairs: &[String]) -> Result<()> {
        for pair in pairs {
            match pair.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    if self.typed.insert(name.to_owned(), value.to_owned()).is_some() {
                        bail!("--variable {name} is given twice");
                    }
                }
                _ => bail!("--variable wants NAME=VALUE, not {pair:?}"),
            }
        }
        Ok(())
    }

    /// Takes `SPIN_VARIABLE_<NAME>` from a list of environment variables.
    pub(crate) fn take_environment(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) {
        self.environment.extend(environment.into_iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("SPIN_VARIABLE_")?;
            Some((name.to_ascii_lowercase(), value))
        }));
    }

    /// The value that somebody has given to a variable, whether the manifest knows it or not.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        [&self.typed, &self.flags, &self.environment, &self.provided]
            .into_iter()
            .find_map(|layer| layer.get(name))
            .map(String::as_str)
    }

    /// The value that a variable will have, or `None` when the manifest does not declare it or
    /// nobody gives it one.
    pub(crate) fn value<'a>(&'a self, manifest: &'a Manifest, name: &str) -> Option<&'a str> {
        let variable = manifest.variables.get(name)?;
        self.given(name).or(variable.default.as_deref())
    }

    /// Compares what was typed with what the manifest declares.
    ///
    /// # Errors
    /// `--variable` names one that is not declared: a slip of the fingers that would else go
    /// unnoticed.
    pub(crate) fn check_typed(&self, manifest: &Manifest) -> Result<()> {
        for name in self.typed.keys() {
            if !manifest.variables.contains_key(name) {
                let known = manifest.variables.keys().cloned().collect::<Vec<_>>().join(", ");
                bail!("--variable {name}: the manifest declares no such variable; it has: {known}");
            }
            if manifest.variables.get(name).is_some_and(|variable| variable.secret) {
                tracing::warn!(
                    "--variable {name}: everybody on this machine can read the secret in the list \
                     of processes; SPIN_VARIABLE_{} keeps it private",
                    name.to_ascii_uppercase()
                );
            }
        }
        Ok(())
    }

    /// Gives every declared variable its value.
    ///
    /// # Errors
    /// Required ones have no value; all of them are listed, with the ways to set them.
    pub(crate) fn resolve(&self, manifest: &Manifest) -> Result<Variables> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for name in manifest.variables.keys() {
            match self.value(manifest, name) {
                Some(value) => {
                    values.insert(name.clone(), value.to_owned());
                }
                None => missing.push(name.as_str()),
            }
        }
        if let Some(first) = missing.first() {
            bail!(
                "required variables have no value: {}; set them with --variable {first}=… or \
                 SPIN_VARIABLE_{}=…",
                missing.join(", "),
                first.to_ascii_uppercase()
            );
        }
        Ok(Variables(values))
    }
}

impl Variables {
    /// The value of a declared variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let text = r#"
            spin_manifest_version = 2
            [application]
            name = "t"
            [variables]
            colour = { default = "red" }
            token = { required = true, secret = true }
        "#;
        Manifest::parse(text, "".as_ref()).unwrap()
    }

    fn layer(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_strongest_layer_wins() {
        let manifest = manifest();
        let mut layers = Layers::default();
        assert_eq!(layers.value(&manifest, "colour"), Some("red"));
        layers.provided = layer("colour", "provided");
        assert_eq!(layers.value(&manifest, "colour"), Some("provided"));
        layers.take_environment([("SPIN_VARIABLE_COLOUR".into(), "environment".into())]);
        assert_eq!(layers.value(&manifest, "colour"), Some("environment"));
        layers.flags = layer("colour", "flag");
        assert_eq!(layers.value(&manifest, "colour"), Some("flag"));
        layers.type_in(&["colour=typed=1".into()]).unwrap();
        assert_eq!(layers.value(&manifest, "colour"), Some("typed=1"));
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = Layers::default().resolve(&manifest()).unwrap_err().to_string();
        assert!(error.contains("token") && error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
        assert!(!error.contains("colour"), "{error}");
    }

    #[test]
    fn a_typed_name_that_nobody_declares_is_refused() {
        let mut layers = Layers::default();
        layers.type_in(&["token=x".into(), "tokne=y".into()]).unwrap();
        let error = layers.check_typed(&manifest()).unwrap_err().to_string();
        assert!(error.contains("tokne") && error.contains("colour, token"), "{error}");
    }

    #[test]
    fn typed_pairs_are_checked() {
        for bad in ["x", "=1", ""] {
            assert!(Layers::default().type_in(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
        assert!(Layers::default().type_in(&["a=1".into(), "a=2".into()]).is_err());
    }
}
