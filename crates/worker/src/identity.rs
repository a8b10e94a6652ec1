//! Who this worker or agent is: the node's id, kept in a file, so that a restart keeps it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use reef_api::NodeId;
use serde::{Deserialize, Serialize};

/// The file, locked for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Identity {
    file: File,
    path: PathBuf,
    node_id: Option<NodeId>,
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    node_id: NodeId,
}

/// Why there is no identity to work under.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error(
        "another worker or agent runs on this machine under the same name ({}): give this one its own with --hostname",
        .0.display()
    )]
    Taken(PathBuf),
    #[error("cannot use {}: {error}", path.display())]
    Io { path: PathBuf, error: std::io::Error },
}

impl Identity {
    /// Opens the file of this hostname in `folder`, or makes it.
    pub(crate) fn open(folder: &Path, hostname: &str) -> Result<Self, IdentityError> {
        let safe = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        let name: String = hostname.chars().map(|c| if safe(c) { c } else { '_' }).collect();
        let path = folder.join(format!("worker-{name}.json"));
        let failed = |error| IdentityError::Io { path: path.clone(), error };
        // It may be the one in which a hub keeps its keys.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IdentityError::Taken(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let kept: Option<Kept> = serde_json::from_str(&text).ok();
        let kept = kept.filter(|kept| !kept.node_id.as_str().trim().is_empty());
        if kept.is_none() && !text.is_empty() {
            // The hub still finds the node by its hostname.
            tracing::warn!(file = %path.display(), "the kept node id cannot be read");
        }
        Ok(Self { file, path, node_id: kept.map(|kept| kept.node_id) })
    }

    /// The id that the hub gave or took last time.
    pub(crate) fn node_id(&self) -> Option<&NodeId> {
        self.node_id.as_ref()
    }

    /// Keeps the id for the next start. A disk that refuses costs a line in the log.
    pub(crate) fn keep(&mut self, node_id: &NodeId) {
        if self.node_id.as_ref() == Some(node_id) {
            return;
        }
        self.node_id = Some(node_id.clone());
        if let Err(error) = self.write(node_id) {
            tracing::warn!(file = %self.path.display(), %error, "cannot keep the node id");
        }
    }

    fn write(&mut self, node_id: &NodeId) -> std::io::Result<()> {
        let text = serde_json::to_string(&Kept { node_id: node_id.clone() })?;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_outlives_the_worker_and_belongs_to_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Identity::open(folder.path(), "a/b c").unwrap();
        assert_eq!(first.node_id(), None);
        first.keep(&"a-longer-id".into());
        first.keep(&"n1".into());
        let taken = Identity::open(folder.path(), "a/b c").unwrap_err();
        assert!(taken.to_string().contains("--hostname"), "{taken}");
        assert_eq!(Identity::open(folder.path(), "other").unwrap().node_id(), None);
        drop(first);
        assert_eq!(Identity::open(folder.path(), "a/b c").unwrap().node_id(), Some(&"n1".into()));
    }

    #[test]
    fn a_broken_file_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("worker-h.json"), "{\"node_").unwrap();
        let mut identity = Identity::open(folder.path(), "h").unwrap();
        assert_eq!(identity.node_id(), None);
        identity.keep(&"n2".into());
        drop(identity);
        assert_eq!(Identity::open(folder.path(), "h").unwrap().node_id(), Some(&"n2".into()));
    }
}
