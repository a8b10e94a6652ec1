//! One configuration for all that `reef` does: what is set in the environment, in `reef.toml` and
//! in the files of `config/`, and where each value comes from.
//!
//! From strongest to weakest: a flag, an environment variable, `reef.toml`, `config/secrets.json`
//! and `config/config.json`, the default. The latter files are those of the older Python services:
//!
//! ```json
//! {"redis": {"host": "10.0.0.5", "port": 6379, "password": "${REDIS_SECRET}", "db": 0}}
//! {"node": {"id": "gpu-1", "heartbeat_interval": 10}, "logging": {"level": "INFO"}}
//! ```
//!
//! # Layout
//!
//! - `known`: which settings there are. `reef_toml` and `files`: read the files. `replace`:
//!   `${VAR}`.
//! - [`Settings`]: the values; [`redis`]: the address that several of them make.

mod files;
mod known;
pub mod redis;
mod reef_toml;
mod replace;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

pub use known::{InToml, KNOWN, Known};
pub use reef_toml::{Entry, REEF_TOML, ReefToml, VARIABLES};

/// The folder of the configuration where nothing else is said.
const FOLDER: &str = "config";
/// What the older services call the variable that names it.
const FOLDER_OF_OLD: &str = "CLAWSTER_CONFIG_DIR";

/// Where the files are.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArgs {
    /// File with flags and variables, as `reef init` writes it; else reef.toml, if it is there
    #[arg(long, env = "REEF_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Folder with config.json and secrets.json; else config, if it is there
    #[arg(long, env = "REEF_CONFIG_DIR", value_name = "DIR", global = true)]
    pub config_dir: Option<PathBuf>,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A line of `reef.toml`.
    Line(PathBuf, usize),
    /// A file of the folder config.
    File(PathBuf),
    /// Nobody has set it.
    Default,
}

impl Origin {
    /// The higher, the stronger.
    fn rank(&self) -> u8 {
        match self {
            Self::Flag(_) => 4,
            Self::Environment(_) => 3,
            Self::Line(..) => 2,
            Self::File(_) => 1,
            Self::Default => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(name) => write!(f, "{name} in the environment"),
            Self::Line(path, line) => write!(f, "{}:{line}", path.display()),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The value; a number as it was written.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
}

// Without the value, which may be a password.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What is set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, Value>,
    toml: Option<ReefToml>,
    /// What should be known about the files, a sentence each.
    notes: Vec<String>,
}

impl Settings {
    /// Reads the environment of this process and the files.
    ///
    /// # Errors
    /// [`Invalid`]: a file is no JSON or has a value that cannot be used, or a folder that was
    /// named is not there.
    pub fn load(args: &SettingsArgs) -> Result<Self, Invalid> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::read(args, &environment)
    }

    /// Reads a given environment and the files.
    ///
    /// # Errors
    /// [`Invalid`], as for [`Settings::load`].
    pub fn read(args: &SettingsArgs, environment: &[(String, String)]) -> Result<Self, Invalid> {
        // Empty is how a variable is switched off where it cannot be removed.
        let variable = |name: &str| {
            let found =
                environment.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        // As for every variable, an empty one says nothing.
        let said = |path: &Option<PathBuf>| path.clone().filter(|it| !it.as_os_str().is_empty());
        let toml = ReefToml::load(said(&args.config).as_deref(), &variable)?;
        let named = said(&args.config_dir);
        let named = named.or_else(|| variable(FOLDER_OF_OLD).map(PathBuf::from));
        if let Some(named) = named.as_ref().filter(|named| !named.is_dir()) {
            return Err(Invalid(format!("there is no folder {}", named.display())));
        }
        let folder = named.unwrap_or_else(|| FOLDER.into());
        let found = files::read(&folder, &variable)?;
        let mut settings = Self { values: found.values, toml, notes: found.notes };
        for known in KNOWN {
            let toml = settings.toml.as_ref().zip(known.key());
            if let Some(value) = toml.map(|(file, key)| file.value(key)).transpose()?.flatten() {
                settings.values.insert(known.name, value);
            }
            for name in known.variables {
                let Some(text) = variable(name).filter(|text| known.takes(name, text)) else {
                    continue;
                };
                let value = Value { text: text.to_owned(), origin: Origin::Environment(name) };
                settings.values.insert(known.name, value);
                break;
            }
        }
        Ok(settings)
    }

    /// The file with flags and variables, if there is one.
    #[must_use]
    pub fn toml(&self) -> Option<&ReefToml> {
        self.toml.as_ref()
    }

    /// Takes what was typed.
    #[must_use]
    pub fn typed(mut self, name: &'static str, flag: &'static str, text: Option<String>) -> Self {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.values.insert(name, Value { text, origin: Origin::Flag(flag) });
        }
        self
    }

    /// What somebody has set.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// What somebody has set, or the default, if there is one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value> {
        let set = self.given(name).cloned();
        set.or_else(|| {
            let default = KNOWN.iter().find(|known| known.name == name)?.default?;
            Some(Value { text: default.to_owned(), origin: Origin::Default })
        })
    }

    /// What somebody has set, as a number or whatever else it should be.
    ///
    /// # Errors
    /// [`Invalid`] if it is none; the text names the setting and where it comes from.
    pub fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Invalid> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let wrong = |_| Invalid(format!("{name} must be {what} ({})", value.origin));
        value.text.trim().parse().map(Some).map_err(wrong)
    }

    /// What should be known about the files, a sentence each: secrets that others can read, members
    /// that nobody knows.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests;
