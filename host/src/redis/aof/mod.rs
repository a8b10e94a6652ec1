//! The append-only file of a private server, looked at before a server reads it.
//!
//! Redis alone would take a file that ends early for one whose last write was cut, and drop the
//! rest; its own checker, told to repair, drops everything behind the first bad byte. Here nothing
//! is dropped but what a killed server has left unfinished at the very end, which nobody was told
//! of. Everything else is damage: [`look`] names it, and a person decides (`reef doctor --repair`).
//!
//! - [`manifest`]: which files there are.
//! - [`scan`]: whether one is as Redis writes it.
//! - [`seal`]: whether it is still what it was.
//! - [`rdb`]: the same for the snapshot that it begins with.
//! - [`repair`]: what can be saved.

mod manifest;
mod rdb;
pub(super) mod repair;
mod scan;
mod seal;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use self::manifest::Manifest;
use self::scan::{End, Scanner, scan};
use self::seal::{Seal, Sealer};

/// The longest end that is taken for an unfinished write: far more than any script writes.
const TORN_BYTES_MAX: u64 = 64 << 20;
/// Redis' first file, while it is that of an empty server.
const EMPTY_BASE_BYTES_MAX: u64 = 256;

/// What a look has found.
#[derive(Debug)]
pub(super) enum Found {
    /// A server may read it.
    Whole(Follower),
    /// The last write was cut.
    Torn(Torn, Follower),
    /// It is not what it was.
    Damaged(Damage),
}

/// The unfinished write at the end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) file: PathBuf,
    pub(super) from: u64,
    pub(super) bytes: u64,
}

/// What is wrong, and what could be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) file: PathBuf,
    /// What is wrong with it, as the rest of a sentence that begins with the file.
    pub(super) what: String,
    pub(super) cure: Cure,
}

/// How damage could be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cure {
    /// Cut off what comes from here on.
    Cut { at: u64, bytes: u64 },
    /// Take it as it is.
    Accept,
    /// Only a copy or a backup helps.
    Restore,
}

/// Keeps the seal of files that a server writes to.
#[derive(Debug)]
pub(super) struct Follower {
    folder: PathBuf,
    sealer: Sealer,
}

impl Follower {
    /// Of the files of a server that runs already.
    pub(super) fn of_running(data: &Path) -> Self {
        Self { folder: data.join(manifest::FOLDER), sealer: Sealer::default() }
    }

    /// Notes how much there is now.
    pub(super) fn seal(&mut self) {
        if let Err(error) = self.sealer.seal(&self.folder) {
            // Redis may be replacing a file at this moment; else the next round says it again.
            tracing::debug!(%error, "the append-only file could not be sealed");
        }
    }
}

/// Looks at what is in the server's folder.
///
/// # Errors
/// A file cannot be read at all.
pub(super) fn look(data: &Path) -> Result<Found> {
    let folder = data.join(manifest::FOLDER);
    let follower = Follower { folder: folder.clone(), sealer: Sealer::default() };
    let read = match manifest::read(&folder) {
        Ok(Some(read)) => read,
        Ok(None) => {
            return Ok(match left_over(&folder)? {
                None => Found::Whole(follower),
                Some(damage) => Found::Damaged(damage),
            });
        }
        Err(unreadable) => {
            let (file, what) = (folder.join(manifest::NAME), unreadable.to_string());
            return Ok(Found::Damaged(Damage { file, what, cure: Cure::Restore }));
        }
    };
    let seal = seal::read(&folder);
    if let Some(damage) = check_set(&folder, &read, seal.as_ref())? {
        return Ok(Found::Damaged(damage));
    }
    look_at_files(follower, &read, seal.as_ref())
}

/// Files without a manifest, which a server would write over.
fn left_over(folder: &Path) -> Result<Option<Damage>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(None) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let size = entry.metadata()?.len();
        // A server that was killed at its very first start leaves these.
        let is_first = name.starts_with(&format!("{}1.", manifest::PREFIX));
        let is_empty = is_first
            && if name.contains(".base.") { size <= EMPTY_BASE_BYTES_MAX } else { size == 0 };
        if name.starts_with(manifest::PREFIX) && !is_empty {
            let file = folder.join(manifest::NAME);
            let what = format!("is missing, and {name} is there");
            return Ok(Some(Damage { file, what, cure: Cure::Restore }));
        }
    }
    Ok(None)
}

/// Whether all files are there, and none has gone from the manifest.
fn check_set(folder: &Path, read: &Manifest, seal: Option<&Seal>) -> Result<Option<Damage>> {
    let damage = |file: PathBuf, what: String| Damage { file, what, cure: Cure::Restore };
    for listed in read.base.iter().chain(&read.increments) {
        let file = folder.join(&listed.name);
        if !file.is_file() {
            let what = "is missing, and the manifest names it".to_owned();
            return Ok(Some(damage(file, what)));
        }
    }
    if let Some(seal) = seal {
        let mut sealed = seal.files.keys();
        let gone = sealed.find(|name| !read.increments.iter().any(|it| it.name == **name));
        // A file goes when a later base file has taken its place.
        if let Some(gone) = gone
            && seal::base_of(read) <= seal.base
        {
            let what = format!("no longer names {gone}, which held data");
            return Ok(Some(damage(folder.join(manifest::NAME), what)));
        }
        if seal::base_of(read) < seal.base {
            let what = "no longer names the snapshot that the data begins with".to_owned();
            return Ok(Some(damage(folder.join(manifest::NAME), what)));
        }
    }
    if let Some(base) = &read.base {
        let file = folder.join(&base.name);
        let is_snapshot = rdb::is_snapshot(&file)?;
        if base.name.ends_with(".rdb") && !is_snapshot {
            return Ok(Some(damage(file, "is no snapshot of Redis".to_owned())));
        }
        if is_snapshot && let Err(what) = rdb::check(&file)? {
            return Ok(Some(damage(file, format!("is damaged: {what}"))));
        }
    }
    Ok(None)
}

fn look_at_files(mut follower: Follower, read: &Manifest, seal: Option<&Seal>) -> Result<Found> {
    let commands = read.base.iter().filter(|base| !base.name.ends_with(".rdb"));
    let commands: Vec<_> = commands.chain(&read.increments).collect();
    let mut torn = None;
    for (index, listed) in commands.iter().enumerate() {
        let file = follower.folder.join(&listed.name);
        let place = || format!("cannot read {}", file.display());
        let size = file.metadata().with_context(place)?.len();
        let sealed = seal.and_then(|seal| seal.files.get(&listed.name));
        let mut scanner = Scanner::new();
        let damaged = |what: String, cure: Cure| Damage { file: file.clone(), what, cure };
        // What is sealed ends with a whole command, so reading may pause there.
        let first = sealed.map_or(size, |sealed| sealed.bytes.min(size));
        let mut result = scan(&file, &mut scanner, first).with_context(place)?;
        if let (Ok(()), Some(sealed)) = (&result, sealed) {
            if size < sealed.bytes {
                let missing = sealed.bytes - size;
                let what = format!("lacks the last {missing} bytes that were written to it");
                let at = scanner.whole().0;
                return Ok(Found::Damaged(damaged(what, Cure::Cut { at, bytes: size - at })));
            }
            if scanner.whole() != (sealed.bytes, sealed.sha256.clone()) {
                let what = format!("is not what it was within its first {} bytes", sealed.bytes);
                return Ok(Found::Damaged(damaged(what, Cure::Accept)));
            }
            result = scan(&file, &mut scanner, size).with_context(place)?;
        }
        if let Err(fault) = result {
            let what = format!("is damaged at byte {}: {}", fault.at, fault.what);
            let cure = Cure::Cut { at: fault.unit, bytes: size - fault.unit };
            return Ok(Found::Damaged(damaged(what, cure)));
        }
        if let End::Torn { from } = scanner.end() {
            let bytes = size - from;
            let cure = Cure::Cut { at: from, bytes };
            if index + 1 < commands.len() {
                let what = format!("ends in the middle of a command that begins at byte {from}");
                return Ok(Found::Damaged(damaged(what, cure)));
            }
            if hides_commands(&file, from, bytes).with_context(place)? {
                let what = format!(
                    "is damaged in the command that begins at byte {from}: it has a length that \
                     takes in what follows"
                );
                return Ok(Found::Damaged(damaged(what, cure)));
            }
            torn = Some(Torn { file, from, bytes });
        } else {
            follower.sealer.go_on(&listed.name, scanner);
        }
    }
    Ok(match torn {
        Some(torn) => Found::Torn(torn, follower),
        None => Found::Whole(follower),
    })
}

fn hides_commands(file: &Path, from: u64, bytes: u64) -> std::io::Result<bool> {
    Ok(bytes > TORN_BYTES_MAX || scan::hides_commands(&tail(file, from)?))
}

/// What a file holds from a place on.
fn tail(file: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

/// Cuts an unfinished write off, and keeps it in a file of its own.
///
/// # Errors
/// It cannot be kept; then nothing was cut.
pub(super) fn cut(torn: &Torn, data: &Path) -> Result<PathBuf> {
    let name = torn.file.file_name().unwrap_or_default().to_string_lossy();
    let copy = data.join(format!("cut-{}-{name}-{}", stamp(), torn.from));
    let keep = || -> std::io::Result<()> {
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy)?;
        out.write_all(&tail(&torn.file, torn.from)?)?;
        out.sync_all()?;
        File::open(data)?.sync_all()
    };
    keep().with_context(|| format!("cannot keep a copy in {}", copy.display()))?;
    shorten(&torn.file, torn.from)?;
    Ok(copy)
}

fn shorten(file: &Path, length: u64) -> Result<()> {
    let cut = || -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(file)?;
        file.set_len(length)?;
        file.sync_all()
    };
    cut().with_context(|| format!("cannot cut {}", file.display()))
}

/// Tells copies apart.
fn stamp() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests;
