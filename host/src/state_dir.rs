//! The directory in which a hub keeps what it owns, held by one host at a time.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// A state directory that this process holds until the value is dropped, or the process ends in
/// whatever way.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    /// Held as long as it is open.
    _lock: File,
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
            Ok(()) => Ok(Self { path, _lock: lock }),
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
}

/// Makes a directory that only its owner can enter, and those above it.
///
/// # Errors
/// It cannot be made; or it is there, and [not closed to others](check_closed).
pub(crate) fn make_private(path: &Path) -> Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.with_context(|| format!("cannot make the directory {}", path.display()))?,
    }
    check_closed(path)
}

/// What is in these directories is trusted: keys, compiled code, data. So only this process's user
/// may write there. It may be a link, to a directory of which the same is true.
///
/// # Errors
/// Somebody else could write there; the text says what to do.
pub(crate) fn check_closed(path: &Path) -> Result<()> {
    let shown = path.display();
    let about = path.metadata().with_context(|| format!("cannot look at {shown}"))?;
    ensure!(
        about.is_dir(),
        "{shown} is no directory, and the hub keeps a directory under this name: remove it, or \
         choose another --state-dir"
    );
    ensure!(
        is_ours(&about),
        "{shown} belongs to another user (uid {}), who could replace the hub's key and its code; \
         run the hub as that user, or give it a directory of its own with --state-dir",
        about.uid()
    );
    ensure!(
        !is_writable_by_others(&about),
        "other users can write into {shown}, and could replace the hub's key and its code; close it \
         with: chmod go-w {shown}"
    );
    Ok(())
}

/// Whether a file belongs to the user of this process.
pub(crate) fn is_ours(about: &Metadata) -> bool {
    about.uid() == rustix::process::geteuid().as_raw()
}

/// Whether others than the owner can change a file.
pub(crate) fn is_writable_by_others(about: &Metadata) -> bool {
    about.permissions().mode() & 0o022 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = StateDir::take(&path).unwrap();
        let error = StateDir::take(&path).unwrap_err().to_string();
        assert!(error.contains("another `reef up`"), "{error}");
        drop(first);
        StateDir::take(&path).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        make_private(&path).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for mode in [0o777, 0o770, 0o702] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = StateDir::take(&path).unwrap_err().to_string();
            assert!(error.contains("chmod go-w"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        StateDir::take(&path).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        check_closed(&link).unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = make_private(&file).unwrap_err().to_string();
        assert!(error.contains("no directory"), "{error}");
    }
}
