//! Which hub, and with which key.

use std::path::{Path, PathBuf};

use clap::Args;
use reef_client::{Hub, Secret, Trust};

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

    /// Authorities (PEM) whose certificates a hub on https may have, and no others; if not given, those
    /// that this machine trusts
    #[arg(long, env = "REEF_CA", value_name = "FILE", global = true)]
    pub(crate) ca: Option<PathBuf>,

    /// Certificate (PEM) to show to a hub on https
    #[arg(long, env = "REEF_CLIENT_CERT", value_name = "FILE", global = true)]
    pub(crate) client_cert: Option<PathBuf>,

    /// Private key (PEM) of that certificate
    #[arg(long, env = "REEF_CLIENT_KEY", value_name = "FILE", global = true)]
    pub(crate) client_key: Option<PathBuf>,

    /// Print what the hub answers, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Why it is done: the hub's audit keeps it beside what is changed
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) reason: Option<String>,
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
        Ok(self.open()?.with_key(self.key()?)?)
    }

    /// The hub, to be called without a key.
    fn open(&self) -> Result<Hub, Failure> {
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (None, None) => None,
            _ => {
                let words = "--client-cert and --client-key are given together, or neither";
                return Err(Failure::Usage(words.to_owned()));
            }
        };
        Ok(Hub::trusting(&self.hub, None, Trust { ca: self.ca.clone(), identity })?)
    }

    /// The key that is sent to the hub, if there is one.
    pub(crate) fn key(&self) -> Result<Option<Secret>, Failure> {
        Ok(match self.key_source(self.open()?.is_local()) {
            KeySource::File(file) | KeySource::StateDir(file) => Some(Secret::read(&file)?),
            KeySource::Environment => {
                Some(Secret::new(&std::env::var("REEF_API_KEY").unwrap_or_default())?)
            }
            KeySource::Nowhere => None,
        })
    }

    /// Whether the hub runs on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.open().is_ok_and(|hub| hub.is_local())
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
        // Whoever shows a certificate means to act by that.
        if is_local && self.client_cert.is_none() && file.is_file() {
            return KeySource::StateDir(file);
        }
        KeySource::Nowhere
    }
}
