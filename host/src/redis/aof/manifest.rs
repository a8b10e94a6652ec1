//! Which files of the append-only file belong together: Redis' own manifest.

use std::path::Path;

/// Its name, and that of the folder that it is in.
pub(super) const NAME: &str = "appendonly.aof.manifest";
pub(super) const FOLDER: &str = "appendonlydir";
/// What the names of its files begin with.
pub(super) const PREFIX: &str = "appendonly.aof.";

/// Longer manifests are none.
const BYTES_MAX: u64 = 1 << 20;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// What the data was when the file was last written anew.
    pub(super) base: Option<Listed>,
    /// What has been written since, oldest first; there is one at least.
    pub(super) increments: Vec<Listed>,
}

/// A file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) seq: u64,
}

/// What is wrong with it: a sentence without its subject.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("is no manifest of Redis")]
    Foreign,
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("is empty")]
    Empty,
    #[error("holds what is no text")]
    NoText,
    #[error("ends in the middle of a line")]
    Cut,
    #[error("has a line that Redis does not write: {0:?}")]
    Line(String),
    #[error("names two base files")]
    TwoBases,
    #[error("names its files out of order")]
    Order,
    #[error("names no file that is written to")]
    NoIncrement,
}

/// Reads it; `None` if it is not there.
pub(super) fn read(folder: &Path) -> Result<Option<Manifest>, Unreadable> {
    let file = folder.join(NAME);
    let size = match file.metadata() {
        Ok(about) if about.is_file() && about.len() <= BYTES_MAX => about.len(),
        Ok(_) => return Err(Unreadable::Foreign),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if size == 0 {
        return Err(Unreadable::Empty);
    }
    let text = std::fs::read(&file)?;
    let text = String::from_utf8(text).map_err(|_| Unreadable::NoText)?;
    parse(&text).map(Some)
}

fn parse(text: &str) -> Result<Manifest, Unreadable> {
    let (mut base, mut increments) = (None, Vec::<Listed>::new());
    if !text.ends_with('\n') {
        return Err(Unreadable::Cut);
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (kind, listed) = parse_line(line).ok_or_else(|| Unreadable::Line(line.to_owned()))?;
        match kind {
            // What is no longer used, and about to be deleted.
            "h" => {}
            "b" if base.is_none() => base = Some(listed),
            "b" => return Err(Unreadable::TwoBases),
            _ => {
                if increments.last().is_some_and(|last| last.seq >= listed.seq) {
                    return Err(Unreadable::Order);
                }
                increments.push(listed);
            }
        }
    }
    if increments.is_empty() {
        return Err(Unreadable::NoIncrement);
    }
    Ok(Manifest { base, increments })
}

fn parse_line(line: &str) -> Option<(&str, Listed)> {
    let mut words = line.split(' ');
    let (mut name, mut seq, mut kind) = (None, None, None);
    while let Some(key) = words.next() {
        let value = words.next()?;
        let place = match key {
            "file" => &mut name,
            "seq" => &mut seq,
            "type" => &mut kind,
            _ => return None,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let (name, kind, seq) = (name?, kind?, seq?.parse().ok()?);
    let ending = if kind == "b" { ".base." } else { ".incr." };
    let fits = name.starts_with(&format!("{PREFIX}{seq}."))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        && (kind == "h" || name.contains(ending));
    (fits && matches!(kind, "b" | "h" | "i")).then(|| (kind, Listed { name: name.to_owned(), seq }))
}

impl Manifest {
    /// The same without the files that come behind this one, in Redis' words.
    pub(super) fn up_to(&self, last: &str) -> String {
        let mut text = String::new();
        let mut line = |file: &Listed, kind| {
            text.push_str(&format!("file {} seq {} type {kind}\n", file.name, file.seq));
        };
        if let Some(base) = &self.base {
            line(base, "b");
        }
        for file in &self.increments {
            line(file, "i");
            if file.name == last {
                break;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "file appendonly.aof.2.base.rdb seq 2 type b\n\
                        file appendonly.aof.1.incr.aof seq 1 type h\n\
                        file appendonly.aof.2.incr.aof seq 2 type i\n\
                        file appendonly.aof.3.incr.aof seq 3 type i\n";

    #[test]
    fn what_redis_writes_is_read() {
        let manifest = parse(GOOD).unwrap();
        assert_eq!(manifest.base.as_ref().unwrap().name, "appendonly.aof.2.base.rdb");
        let seqs: Vec<_> = manifest.increments.iter().map(|file| file.seq).collect();
        assert_eq!(seqs, [2, 3]);
        let cut = manifest.up_to("appendonly.aof.2.incr.aof");
        assert_eq!(parse(&cut).unwrap().increments.len(), 1);
    }

    #[test]
    fn no_flipped_bit_gives_another_set_of_files() {
        let expected = parse(GOOD).unwrap();
        for at in 0..GOOD.len() {
            for bit in 0..8 {
                let mut bytes = GOOD.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let Ok(read) = parse(&text) else { continue };
                // An entry for a file that is about to be deleted does not matter. Whether one is
                // missing, the seal tells; a name that no file has is refused as a missing file.
                let names = |of: &Manifest| -> Vec<String> {
                    of.base.iter().chain(&of.increments).map(|file| file.name.clone()).collect()
                };
                let known = names(&expected);
                let is_missing = read.increments.len() < expected.increments.len();
                let is_refused = names(&read).iter().any(|name| !known.contains(name));
                let is_same = read == expected;
                assert!(is_same || is_missing || is_refused || read.base.is_none(), "{text}");
            }
        }
        for bad in ["", "\n", "file a seq 1 type b\n", "file appendonly.aof.1.incr.aof seq 1"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
