//! A `.tar.gz` of a few small files.

use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

/// The files, each under its name and readable by their owner alone, as an archive. `seconds` since 1970 is when
/// they were made.
///
/// # Errors
/// A name that no archive can have: an absolute one, or one that leads upwards.
pub(crate) fn tar_gz(files: &[(String, Vec<u8>)], seconds: u64) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, content) in files {
        let mut header = Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        header.set_mode(0o600);
        header.set_mtime(seconds);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    archive.into_inner()?.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_found_by_tar() {
        let folder = tempfile::tempdir().unwrap();
        let long = "line\n".repeat(40_000);
        let files = [
            ("a/one.txt".to_owned(), b"one".to_vec()),
            ("a/empty".to_owned(), Vec::new()),
            ("a/long.log".to_owned(), long.clone().into_bytes()),
        ];
        std::fs::write(folder.path().join("x.tgz"), tar_gz(&files, 1_700_000_000).unwrap())
            .unwrap();
        let run = std::process::Command::new("tar")
            .args(["-xzf", "x.tgz"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            (read("a/one.txt"), read("a/empty"), read("a/long.log")),
            ("one".to_owned(), String::new(), long)
        );
    }
}
