//! Which hub, and with which key.

use std::path::{Path, PathBuf};

use clap::Args;
use reef_client::{Hub, Secret};

use crate::failure::Failure;

/// Where `reef up` keeps what it owns, unless REEF_STATE_DIR says otherwise.
const STATE_DIR: &str = ".reef";

/// Flags of every command that talks to a hub. A key is never one of them: the command line of a
/// process can be read by everybody on its machine.
#[derive(Debug, Clone, Args)]
pub(crate) struct HubArgs {
    /// The hub's address
    #[arg(
        long,
        env = "REEF_HUB",
        value_name = "URL",
        default_value = "http://127.0.0.1:8888",
        global = true
    )]
    pub(crate) hub: String,

    /// File that holds the key
    #[arg(long, env = "REEF_KEY_FILE", value_name = "FILE", global = true)]
    pub(crate) key_file: Option<PathBuf>,

    /// Print what the hub answers, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where a key was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file that was named.
    File(PathBuf),
    /// The environment variable REEF_API_KEY.
    Environment,
    /// The admin key that a hub on this machine has made.
    StateDir(PathBuf),
    /// There is none.
    Nowhere,
}

impl HubArgs {
    /// The hub. Nothing is sent yet.
    pub(crate) fn connect(&self) -> Result<Hub, Failure> {
        Ok(Hub::new(&self.hub, self.key()?)?)
    }

    /// The key that is sent to the hub, if there is one.
    pub(crate) fn key(&self) -> Result<Option<Secret>, Failure> {
        // A hub without a key, to see where it is.
        let hub = Hub::new(&self.hub, None)?;
        Ok(match self.key_source(hub.is_local()) {
            KeySource::File(file) | KeySource::StateDir(file) => Some(Secret::read(&file)?),
            KeySource::Environment => {
                Some(Secret::new(&std::env::var("REEF_API_KEY").unwrap_or_default())?)
            }
            KeySource::Nowhere => None,
        })
    }

    /// Where the key is taken from; `is_local`: the hub runs on this machine.
    pub(crate) fn key_source(&self, is_local: bool) -> KeySource {
        if let Some(file) = &self.key_file {
            return KeySource::File(file.clone());
        }
        if std::env::var_os("REEF_API_KEY").is_some_and(|key| !key.is_empty()) {
            return KeySource::Environment;
        }
        let state_dir = std::env::var_os("REEF_STATE_DIR").filter(|dir| !dir.is_empty());
        let file = Path::new(&state_dir.unwrap_or_else(|| STATE_DIR.into())).join("admin.key");
        // What some folder holds goes to this machine's own hub only.
        if is_local && file.is_file() {
            return KeySource::StateDir(file);
        }
        KeySource::Nowhere
    }
}
