//! The backup file: a line of JSON that says what it is, then records, then a checksum.
//!
//! A record is its length in four bytes (big-endian), then itself as postcard writes it. A length of
//! zero ends them; the number of keys in eight bytes follows, and the SHA-256 of all before it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::value::Part;
use crate::{Error, Progress};

/// The version of the file that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// What the first line calls the file.
const FORMAT: &str = "reef-backup";
/// Longest first line, in bytes.
const HEADER_MAX: u64 = 4096;
/// Longest record, in bytes: Redis' own limit for a string, and some more for the rest.
const RECORD_MAX: usize = 600 << 20;
/// Length of the checksum, in bytes.
const SUM_LEN: usize = 32;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// When Redis was as the backup says, in milliseconds of its clock.
    pub taken_at_ms: i64,
    /// The `key_prefix` of the hub.
    pub key_prefix: String,
    /// The `key_layout` of the hub.
    pub key_layout: String,
}

impl Header {
    pub(crate) fn new(taken_at_ms: i64, key_prefix: &str, key_layout: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            taken_at_ms,
            key_prefix: key_prefix.to_owned(),
            key_layout: key_layout.to_owned(),
        }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// A key begins: its partition, and its name without prefix and layout.
    Key(Option<String>, String),
    /// A part of its value.
    Part(Part),
    /// It ends; when it expires, in milliseconds of the clock of `taken_at_ms`.
    End(Option<i64>),
}

/// Writes a backup beside its final name, which it gets when it is whole.
pub(crate) struct Writer {
    out: BufWriter<File>,
    sum: Sha256,
    keys: u64,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Writer {
    pub(crate) fn create(path: &Path, header: &Header) -> Result<Self, Error> {
        let taken = Error::File(format!("{} is there already", path.display()));
        if path.exists() {
            return Err(taken);
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let mut options = OpenOptions::new();
        // It holds all that the hub knows.
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&unfinished).map_err(|error| {
            Error::File(format!("cannot write {}: {error}", unfinished.display()))
        })?;
        let out = BufWriter::with_capacity(1 << 16, file);
        let path = path.to_owned();
        let mut writer = Self { out, sum: Sha256::new(), keys: 0, unfinished, path };
        let line = serde_json::to_string(header).map_err(|error| Error::File(error.to_string()))?;
        writer.put(line.as_bytes())?;
        writer.put(b"\n")?;
        Ok(writer)
    }

    pub(crate) fn write(&mut self, record: &Record) -> Result<(), Error> {
        let bytes =
            postcard::to_allocvec(record).map_err(|error| Error::File(error.to_string()))?;
        let length = u32::try_from(bytes.len())
            .map_err(|_| Error::Refused("a value is too large to be kept".to_owned()))?;
        self.keys += u64::from(matches!(record, Record::Key(..)));
        self.put(&length.to_be_bytes())?;
        self.put(&bytes)
    }

    /// Ends the file, makes sure that the disk has it, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(u64, u64), Error> {
        self.put(&0_u32.to_be_bytes())?;
        let keys = self.keys;
        self.put(&keys.to_be_bytes())?;
        let sum = self.sum.clone().finalize();
        self.out.write_all(&sum)?;
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        let bytes = self.out.get_ref().metadata()?.len();
        // Fails where somebody else has made it meanwhile.
        std::fs::hard_link(&self.unfinished, &self.path)?;
        Ok((keys, bytes))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sum.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whole or not, under this name it is of no use.
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

/// Reads a backup record by record.
pub(crate) struct Reader {
    from: BufReader<File>,
    sum: Sha256,
    /// What it says about itself.
    pub(crate) header: Header,
    read: u64,
    size: u64,
    keys: u64,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)
            .map_err(|error| Error::File(format!("cannot read {}: {error}", path.display())))?;
        let size = file.metadata()?.len();
        let mut from = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        from.by_ref().take(HEADER_MAX).read_until(b'\n', &mut line)?;
        let header: Header = serde_json::from_slice(&line)
            .ok()
            .filter(|header: &Header| header.format == FORMAT)
            .ok_or_else(|| Error::Damaged(format!("{} is no backup of a hub", path.display())))?;
        if header.version > VERSION {
            return Err(Error::Damaged(format!(
                "the backup has version {}, and this program knows {VERSION}; use a newer one",
                header.version
            )));
        }
        let mut sum = Sha256::new();
        sum.update(&line);
        Ok(Self { from, sum, header, read: line.len() as u64, size, keys: 0 })
    }

    /// How far it is read, in bytes, and how long it is.
    pub(crate) fn position(&self) -> (u64, u64) {
        (self.read, self.size)
    }

    /// The next record; none at the end of a file that is as it was written.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, Error> {
        let length = u32::from_be_bytes(self.take_array()?) as usize;
        if length == 0 {
            return self.check_end().map(|()| None);
        }
        if length > RECORD_MAX {
            return Err(damaged());
        }
        let bytes = self.take(length)?;
        let record: Record = postcard::from_bytes(&bytes).map_err(|_| damaged())?;
        self.keys += u64::from(matches!(record, Record::Key(..)));
        Ok(Some(record))
    }

    fn check_end(&mut self) -> Result<(), Error> {
        let keys = u64::from_be_bytes(self.take_array()?);
        let computed = self.sum.clone().finalize();
        let written: [u8; SUM_LEN] = self.take_array()?;
        let is_whole = computed.as_slice() == written && keys == self.keys;
        if is_whole && self.from.read(&mut [0])? == 0 { Ok(()) } else { Err(damaged()) }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.from.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(damaged());
        }
        self.sum.update(&bytes);
        self.read += length as u64;
        Ok(bytes)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N)?.try_into().map_err(|_| damaged())
    }
}

/// Reads a file to its end, so that nothing of a damaged one is restored.
pub(crate) fn verify(path: &Path, progress: Progress<'_>) -> Result<(Header, u64), Error> {
    let mut reader = Reader::open(path)?;
    while reader.next()?.is_some() {
        let (read, size) = reader.position();
        progress(read, Some(size));
    }
    Ok((reader.header, reader.keys))
}

fn damaged() -> Error {
    Error::Damaged("the backup is damaged or cut: its checksum does not fit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        vec![
            Record::Key(Some("cluster".into()), "reef:schema".into()),
            Record::Part(Part::Text(vec![0, 255, b'\n'])),
            Record::End(None),
            Record::Key(None, "content:c".into()),
            Record::Part(Part::SortedSet(vec![(b"a".to_vec(), b"1.5".to_vec())])),
            Record::End(Some(5)),
        ]
    }

    fn written(folder: &Path) -> PathBuf {
        let path = folder.join("b");
        let mut writer = Writer::create(&path, &Header::new(7, "p:", "plain")).unwrap();
        for record in records() {
            writer.write(&record).unwrap();
        }
        assert_eq!(writer.finish().unwrap().0, 2);
        path
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!((reader.header.taken_at_ms, reader.header.key_prefix.as_str()), (7, "p:"));
        let read: Vec<_> = std::iter::from_fn(|| reader.next().unwrap()).collect();
        assert_eq!(read, records());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
        assert!(Writer::create(&path, &Header::new(7, "", "plain")).is_err(), "it is there");
    }

    #[test]
    fn each_changed_or_missing_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let whole = std::fs::read(written(folder.path())).unwrap();
        let path = folder.path().join("damaged");
        let is_whole = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            verify(&path, &|_, _| ()).is_ok()
        };
        assert!(is_whole(&whole));
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(!is_whole(&changed), "byte {at}");
            assert!(!is_whole(&whole[..at]), "cut at {at}");
        }
        assert!(!is_whole(&[&whole[..], b"x"].concat()));
    }

    #[test]
    fn a_newer_version_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let header = Header { version: VERSION + 1, ..Header::new(7, "", "plain") };
        std::fs::write(&path, serde_json::to_string(&header).unwrap() + "\n").unwrap();
        let error = verify(&path, &|_, _| ()).unwrap_err().to_string();
        assert!(error.contains("use a newer one"), "{error}");
    }
}
