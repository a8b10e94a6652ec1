//! What this host has seen of the data, youngest last: the event, the entry of the journal, the era. It
//! tells that Redis holds an older copy of the data than the one that was given out.
//!
//! It is kept in the state directory, where there is one, so that it outlives the host.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reef_store::entry::Head;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The file's name in the state directory.
const FILE: &str = "seen.json";
/// How often the file is written, if there is anything new.
const PERIOD: Duration = Duration::from_secs(5);

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    /// Of which hub, by the name that its data carry.
    hub: String,
    #[serde(flatten)]
    mark: Mark,
}

/// What there is to remember.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    event: Option<String>,
    /// The last entry of the journal, and its link.
    entry: Option<(i64, String)>,
    era: i64,
    ledger_era: i64,
}

/// What this host has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Nothing where there is no state directory, or the hub is not known.
    file: Option<(PathBuf, String)>,
    mark: Mark,
    head: Option<Head>,
    written: Option<(Mark, Instant)>,
}

impl Seen {
    /// Adds what the host before has seen of the hub of that name. A mark that cannot be read says
    /// nothing.
    pub(crate) fn read(&mut self, state_dir: Option<&Path>, hub: Option<String>) {
        let (Some(folder), Some(hub)) = (state_dir, hub) else { return };
        let path = folder.join(FILE);
        let text = std::fs::read(&path).unwrap_or_default();
        let file = serde_json::from_slice::<File>(&text).ok().filter(|file| file.hub == hub);
        self.file = Some((path, hub));
        let Some(File { mark, .. }) = file else { return };
        self.head = mark.entry.map(|(number, link)| Head { number, link });
        self.mark.event = mark.event;
        self.note_era(mark.era);
        self.note_ledger_era(mark.ledger_era);
    }

    /// The youngest event.
    pub(crate) fn event(&self) -> Option<&str> {
        self.mark.event.as_deref()
    }

    /// The last entry of the journal.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The last era of the cluster's data.
    pub(crate) fn era(&self) -> i64 {
        self.mark.era
    }

    /// The last era of the ledger.
    pub(crate) fn ledger_era(&self) -> i64 {
        self.mark.ledger_era
    }

    /// Takes an era of the cluster's data.
    pub(crate) fn note_era(&mut self, era: i64) {
        self.mark.era = self.mark.era.max(era);
    }

    /// Takes an era of the ledger.
    pub(crate) fn note_ledger_era(&mut self, era: i64) {
        self.mark.ledger_era = self.mark.ledger_era.max(era);
    }

    /// Takes the last entry of now.
    pub(crate) fn note_head(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// The last entry is no more.
    pub(crate) fn forget_head(&mut self) {
        self.head = None;
    }

    /// Takes the youngest event of now.
    pub(crate) fn note(&mut self, youngest: &str) {
        // There is none yet.
        if youngest == "0-0" {
            return;
        }
        self.mark.event = Some(youngest.to_owned());
        self.mark.entry = self.head.clone().map(|head| (head.number, head.link));
        let is_due = match &self.written {
            None => true,
            Some((mark, when)) => *mark != self.mark && when.elapsed() >= PERIOD,
        };
        if is_due {
            self.keep();
        }
    }

    /// Writes the file, so that a host which is killed leaves the old one or the new one.
    pub(crate) fn keep(&mut self) {
        let Some((path, hub)) = &self.file else { return };
        if self.mark.event.is_none()
            || self.written.as_ref().is_some_and(|(mark, _)| *mark == self.mark)
        {
            return;
        }
        let file = File { hub: hub.clone(), mark: self.mark.clone() };
        let bytes = serde_json::to_vec(&file).map_err(std::io::Error::from);
        if let Err(error) = bytes.and_then(|bytes| write(path, &bytes)) {
            tracing::debug!(%error, file = %path.display(), "what was seen cannot be noted");
        }
        self.written = Some((self.mark.clone(), Instant::now()));
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
        let read = |hub: Option<&str>| {
            let mut seen = Seen::default();
            seen.read(Some(folder.path()), hub.map(str::to_owned));
            seen
        };
        let mut seen = read(Some("a"));
        assert_eq!(seen.event(), None);
        seen.note("0-0");
        assert_eq!(seen.event(), None);
        seen.note("5-1");
        seen.note_era(7);
        seen.note_head(Head { number: 3, link: "ab".to_owned() });
        seen.note("6-0");
        seen.keep();
        let again = read(Some("a"));
        assert_eq!((again.event(), again.era(), again.ledger_era()), (Some("6-0"), 7, 0));
        assert_eq!(again.head().map(|it| (it.number, it.link.as_str())), Some((3, "ab")));
        assert_eq!(read(Some("b")).event(), None);
        assert_eq!(read(None).event(), None);
        // As a version of before wrote it.
        std::fs::write(folder.path().join(FILE), r#"{"hub":"a","event":"5-0"}"#).unwrap();
        assert_eq!((read(Some("a")).event(), read(Some("a")).era()), (Some("5-0"), 0));
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(read(Some("a")).event(), None);
    }
}
