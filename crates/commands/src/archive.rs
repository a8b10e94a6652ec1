//! A `.tar.gz` of a few small files: the format ustar (POSIX.1-1988) within gzip (RFC 1952). What is
//! in it is stored as it is, so that neither needs a library.

use crc32fast::Hasher;

/// Both a header of a file and the unit to which its content is filled up.
const BLOCK: usize = 512;
/// The most bytes of a stored block of deflate.
const STORED_MAX: usize = 65_535;
/// The longest name of a file.
const NAME_BYTES_MAX: usize = 99;

/// The files, each under its name, as an archive.
pub(crate) fn tar_gz(files: &[(String, Vec<u8>)], seconds: u64) -> Vec<u8> {
    gzip(&tar(files, seconds))
}

fn tar(files: &[(String, Vec<u8>)], seconds: u64) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in files {
        tar.extend(header(name, content.len(), seconds));
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks are its end.
    tar.resize(tar.len() + 2 * BLOCK, 0);
    tar
}

fn header(name: &str, length: usize, seconds: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(BLOCK);
    let mut field = |text: &str, width: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.truncate(width);
        bytes.resize(width, 0);
        header.extend(bytes);
    };
    field(name.get(..NAME_BYTES_MAX).unwrap_or(name), 100);
    field("0000600", 8);
    field("0000000", 8);
    field("0000000", 8);
    field(&format!("{length:011o}"), 12);
    field(&format!("{seconds:011o}"), 12);
    // The sum is counted as if it were blank.
    field("        ", 8);
    field("0", 1);
    field("", 100);
    field("ustar", 6);
    field("00", 2);
    field("", 247);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    header.splice(148..156, sum.bytes());
    header
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = data.chunks(STORED_MAX).peekable();
    while let Some(block) = blocks.next() {
        packed.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    let mut sum = Hasher::new();
    sum.update(data);
    packed.extend(sum.finalize().to_le_bytes());
    // Its length modulo 2^32, says the format.
    packed.extend(data.len().to_le_bytes().into_iter().take(4));
    packed
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
        std::fs::write(folder.path().join("x.tgz"), tar_gz(&files, 1_700_000_000)).unwrap();
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
