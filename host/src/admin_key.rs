//! The admin key: read from a file, or made once and kept in the state directory.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::state_dir::{is_ours, is_writable_by_others};

/// Shorter ones can be guessed.
const KEY_LEN_MIN: usize = 16;
/// Length of those that are made here.
const MADE_LEN: usize = 46;

/// Reads a key file. White space around the key does not count.
///
/// # Errors
/// The file cannot be read, or holds nothing that can stand in a header.
pub(crate) fn read(file: &Path) -> Result<String> {
    let place = || format!("the admin key file {}", file.display());
    let text = std::fs::read_to_string(file).with_context(place)?;
    let key = text.trim();
    ensure!(!key.is_empty(), "the admin key file {} is empty", file.display());
    ensure!(
        key.bytes().all(|b| b.is_ascii_graphic()),
        "the admin key in {} has characters that a header cannot carry",
        file.display()
    );
    let mode = std::fs::metadata(file).with_context(place)?.permissions().mode();
    // Whoever can write it decides who is admin. A group may be one of the hub's own: that is how
    // orchestrators hand secrets over.
    ensure!(
        mode & 0o002 == 0,
        "everybody on this machine can change the admin key in {}; close it with: chmod 600 {0}",
        file.display()
    );
    if mode & 0o077 != 0 {
        tracing::warn!(
            file = %file.display(),
            "others on this machine can read the admin key; chmod 600 would keep it private"
        );
    }
    Ok(key.to_owned())
}

/// Reads the key file of the state directory, or makes one with a new key that only its owner can
/// read.
///
/// # Errors
/// What is there is no key that this user has made: a link, another user's file, or a part of a key.
pub(crate) fn read_or_make(file: &Path) -> Result<String> {
    let shown = file.display();
    match file.symlink_metadata() {
        Ok(about) => {
            ensure!(
                about.is_file(),
                "{shown} is no file; the hub follows no link to its admin key"
            );
            ensure!(is_ours(&about), "{shown} belongs to another user (uid {})", about.uid());
            ensure!(
                !is_writable_by_others(&about),
                "other users can change {shown}; close it with: chmod 600 {shown}"
            );
            let key = read(file)?;
            ensure!(
                !is_a_part(&key),
                "{shown} holds only a part of a key; put the whole key back, or remove the file to \
                 have another made"
            );
            return Ok(key);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => Err(error).with_context(|| format!("cannot look at {shown}"))?,
    }
    let key = generate()?;
    // Written beside and renamed, so that a crash leaves either no file or a whole key.
    let unfinished = file.with_extension("key.new");
    let place = || format!("cannot write the admin key file {}", file.display());
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(place)?;
    writeln!(out, "{key}").and_then(|()| out.sync_all()).with_context(place)?;
    std::fs::rename(&unfinished, file).with_context(place)?;
    Ok(key)
}

/// Whether a key is too short for one, or the beginning of one that was made here.
fn is_a_part(key: &str) -> bool {
    let made = key.strip_prefix("reef_").and_then(|rest| rest.split_at_checked(9));
    let is_made = made.is_some_and(|(name, _)| {
        name.ends_with('_') && name.bytes().take(8).all(|byte| byte.is_ascii_hexdigit())
    });
    key.len() < KEY_LEN_MIN || (is_made && key.len() < MADE_LEN)
}

/// A new key: `reef_`, 8 characters that tell it apart, `_`, and 192 random bits.
fn generate() -> Result<String> {
    let mut random = [0; 4 + 24];
    getrandom::fill(&mut random)
        .map_err(|e| anyhow::anyhow!("no random numbers from the system: {e}"))?;
    let (name, secret) = random.split_at(4);
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("reef_{name}_{}", URL_SAFE_NO_PAD.encode(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("admin.key");
        let key = read_or_make(&file).unwrap();
        assert_eq!(key.len(), MADE_LEN);
        assert!(key.starts_with("reef_") && key.as_bytes()[13] == b'_', "{key}");
        assert_eq!(read_or_make(&file).unwrap(), key);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_unusable_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let part = "reef_0123abcd_0123456789";
        for (text, word) in [
            ("", "empty"),
            (" \n", "empty"),
            ("a b", "header"),
            ("ä", "header"),
            ("reef_01", "part"),
            (part, "part"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = read_or_make(&file).unwrap_err().to_string();
            assert!(error.contains(word), "{text:?}: {error}");
        }
        assert!(read(&folder.path().join("none")).is_err());
        std::fs::write(&file, "a-key-of-my-own-choice\n").unwrap();
        assert_eq!(read_or_make(&file).unwrap(), "a-key-of-my-own-choice");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read_or_make(&link).unwrap_err().to_string().contains("link"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o620)).unwrap();
        assert!(read_or_make(&file).unwrap_err().to_string().contains("chmod 600"));
        read(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o602)).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("chmod 600"));
    }
}
