//! The admin key: read from a file, or made once and kept in the state directory.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
    if mode & 0o077 != 0 {
        tracing::warn!(
            file = %file.display(),
            "others on this machine can read the admin key; chmod 600 would keep it private"
        );
    }
    Ok(key.to_owned())
}

/// Reads a key file, or makes one with a new key that only its owner can read.
pub(crate) fn read_or_make(file: &Path) -> Result<String> {
    if file.exists() {
        return read(file);
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
        assert_eq!(key.len(), "reef_".len() + 8 + 1 + 32);
        assert!(key.starts_with("reef_") && key.as_bytes()[13] == b'_', "{key}");
        assert_eq!(read_or_make(&file).unwrap(), key);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_unusable_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for (text, word) in [("", "empty"), (" \n", "empty"), ("a b", "header"), ("ä", "header")] {
            std::fs::write(&file, text).unwrap();
            let error = read_or_make(&file).unwrap_err().to_string();
            assert!(error.contains(word), "{text:?}: {error}");
        }
        assert!(read(&folder.path().join("none")).is_err());
    }
}
