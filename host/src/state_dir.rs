//! The directory in which a hub keeps what it owns, held by one host at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A state directory that this process holds until the value is dropped, or the process ends in
/// whatever way.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    lock: File,
}

impl StateDir {
    /// Makes the directory when it is not there (for its owner only) and takes hold of it.
    ///
    /// # Errors
    /// Another host holds it, or it cannot be made or written.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        make_private(path)?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot resolve the state directory {}", path.display()))?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&file)
            .with_context(|| format!("cannot write into the state directory {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another `reef up` uses the state directory {}; stop it, or give this one its own \
                 with --state-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", file.display()))
            }
        }
    }

    /// The directory, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file or directory belongs to whoever owns this state directory's lock, that is,
    /// to the user of this process.
    pub(crate) fn is_ours(&self, path: &Path) -> Result<bool> {
        use std::os::unix::fs::MetadataExt;
        Ok(path.symlink_metadata()?.uid() == self.lock.metadata()?.uid())
    }
}

/// Makes a directory that only its owner can enter, and those above it.
pub(crate) fn make_private(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the directory {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::StateDir;

    #[test]
    fn a_state_directory_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = StateDir::take(&path).unwrap();
        let error = StateDir::take(&path).unwrap_err().to_string();
        assert!(error.contains("another `reef up`"), "{error}");
        assert!(first.is_ours(first.path()).unwrap());
        drop(first);
        StateDir::take(&path).unwrap();
    }
}
