//! The youngest event that this host has seen: what tells that Redis holds an older copy of the data
//! than the one that was given out.
//!
//! It is kept in the state directory, where there is one, so that it outlives the host.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The file's name in the state directory.
const FILE: &str = "seen.json";
/// How often the file is written, if there is anything new.
const PERIOD: Duration = Duration::from_secs(5);

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// Of which hub, by the name that its data carry.
    hub: String,
    event: String,
}

/// The youngest event that this host has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Nothing where there is no state directory, or the hub is not known.
    file: Option<(PathBuf, String)>,
    event: Option<String>,
    written: Option<(String, Instant)>,
}

impl Seen {
    /// What the host before has seen of the hub of that name. A mark that cannot be read says nothing.
    pub(crate) fn read(state_dir: Option<&Path>, hub: Option<String>) -> Self {
        let (Some(folder), Some(hub)) = (state_dir, hub) else { return Self::default() };
        let path = folder.join(FILE);
        let text = std::fs::read(&path).unwrap_or_default();
        let mark = serde_json::from_slice::<Mark>(&text).ok().filter(|mark| mark.hub == hub);
        Self { file: Some((path, hub)), event: mark.map(|mark| mark.event), written: None }
    }

    /// The event.
    pub(crate) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// Takes the youngest event of now.
    pub(crate) fn note(&mut self, youngest: &str) {
        // There is none yet.
        if youngest == "0-0" {
            return;
        }
        self.event = Some(youngest.to_owned());
        let is_due = match &self.written {
            None => true,
            Some((event, when)) => event != youngest && when.elapsed() >= PERIOD,
        };
        if is_due {
            self.keep();
        }
    }

    /// Writes the file, so that a host which is killed leaves the old one or the new one.
    pub(crate) fn keep(&mut self) {
        let (Some((path, hub)), Some(event)) = (&self.file, &self.event) else { return };
        if self.written.as_ref().is_some_and(|(written, _)| written == event) {
            return;
        }
        let mark = Mark { hub: hub.clone(), event: event.clone() };
        let bytes = serde_json::to_vec(&mark).map_err(std::io::Error::from);
        if let Err(error) = bytes.and_then(|bytes| write(path, &bytes)) {
            tracing::debug!(%error, file = %path.display(), "the youngest event cannot be noted");
        }
        self.written = Some((event.clone(), Instant::now()));
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_outlives_the_host_and_is_of_one_hub() {
        let folder = tempfile::tempdir().unwrap();
        let read = |hub: &str| Seen::read(Some(folder.path()), Some(hub.to_owned()));
        let mut seen = read("a");
        assert_eq!(seen.event(), None);
        seen.note("0-0");
        assert_eq!(seen.event(), None);
        seen.note("5-1");
        seen.note("6-0");
        seen.keep();
        assert_eq!(read("a").event(), Some("6-0"));
        assert_eq!(read("b").event(), None);
        assert_eq!(Seen::read(Some(folder.path()), None).event(), None);
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(read("a").event(), None);
    }
}
