//! The seal: how much of the append-only file is known to be on the disk, and its SHA-256.
//!
//! The format of the file shows a bit that was flipped between the values, and not one within them;
//! nor does it tell a file whose end was cut off from one whose last write was. So the host notes,
//! while the server runs and once more when it has ended, up to where each file is whole and what
//! its digest is. Before the next start all of it must still be so. What came after the last note
//! is known by its format alone.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::{self, Manifest};
use super::scan::{Fault, Scanner, hex, scan};

/// Lies beside what it is of, so that it is copied together with it.
pub(super) const NAME: &str = "reef.seal";

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    /// The number of the base file.
    pub(super) base: u64,
    /// By name: the files that are written to.
    pub(super) files: BTreeMap<String, Sealed>,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Reads it: a line of JSON, and a line with the digest of that. `None` where there is none, or
/// none that can be read: it is a witness, and the data may be good without it.
pub(super) fn read(folder: &Path) -> Option<Seal> {
    let file = folder.join(NAME);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the seal cannot be read");
            return None;
        }
    };
    let seal = text
        .split_once('\n')
        .filter(|(seal, digest)| digest.trim_end() == hex(&Sha256::digest(seal)))
        .and_then(|(seal, _)| serde_json::from_str(seal).ok());
    if seal.is_none() {
        tracing::warn!(
            file = %file.display(),
            "the seal is damaged; the append-only file is looked at without it"
        );
    }
    seal
}

fn write(folder: &Path, seal: &Seal) -> std::io::Result<()> {
    let text = serde_json::to_string(seal)?;
    let unfinished = folder.join(format!("{NAME}.new"));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}\n{}", hex(&Sha256::digest(&text)))?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(NAME))
}

/// Follows the files while they grow.
#[derive(Debug, Default)]
pub(super) struct Sealer {
    scanners: BTreeMap<String, Scanner>,
    /// What was written last.
    last: Option<Seal>,
    /// Files that were found damaged, which is said once.
    damaged: Vec<String>,
}

impl Sealer {
    /// Goes on where a look at a file has ended.
    pub(super) fn go_on(&mut self, name: &str, scanner: Scanner) {
        self.scanners.insert(name.to_owned(), scanner);
    }

    /// Reads what was added, and notes how far it is on the disk.
    pub(super) fn seal(&mut self, folder: &Path) -> std::io::Result<()> {
        let Ok(Some(manifest)) = manifest::read(folder) else { return Ok(()) };
        let mut files = BTreeMap::new();
        for listed in &manifest.increments {
            let file = folder.join(&listed.name);
            let opened = File::open(&file)?;
            let size = opened.metadata()?.len();
            // What is noted must be on the disk first, or a power cut would make a liar of the seal.
            opened.sync_data()?;
            let scanner = self.scanners.entry(listed.name.clone()).or_insert_with(Scanner::new);
            if size < scanner.at() {
                // Redis takes a write back that it could not finish.
                *scanner = Scanner::new();
            }
            if let Err(fault) = scan(&file, scanner, size)? {
                self.report(&listed.name, &fault);
                self.scanners.remove(&listed.name);
                return Ok(());
            }
            let (bytes, sha256) = scanner.whole();
            files.insert(listed.name.clone(), Sealed { bytes, sha256 });
        }
        self.scanners.retain(|name, _| files.contains_key(name));
        let seal = Seal { base: base_of(&manifest), files };
        if self.last.as_ref() != Some(&seal) {
            write(folder, &seal)?;
            self.last = Some(seal);
        }
        Ok(())
    }

    fn report(&mut self, name: &str, fault: &Fault) {
        if self.damaged.iter().any(|known| known == name) {
            return;
        }
        self.damaged.push(name.to_owned());
        tracing::error!(
            file = name,
            offset = fault.at,
            "the append-only file was damaged while the server runs ({}): the server still has all \
             data, so take a backup now",
            fault.what
        );
    }
}

/// The number of a manifest's base file.
pub(super) fn base_of(manifest: &Manifest) -> u64 {
    manifest.base.as_ref().map_or(0, |base| base.seq)
}
