//! The checksum with which Redis ends a snapshot.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a snapshot begins with; the second one since Valkey 9.
const MAGIC: [&[u8]; 2] = [b"REDIS", b"VALKEY"];
/// The longer of them.
const MAGIC_LEN: u64 = 6;
/// Bytes of the checksum.
const TAIL: usize = 8;

/// CRC-64/REDIS, reflected.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
const TABLES: [[u64; 256]; 8] = tables();

#[allow(clippy::indexing_slicing, reason = "computed when this is compiled")]
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

fn at(table: usize, byte: u64) -> u64 {
    let row = TABLES.get(table);
    row.and_then(|row| row.get((byte & 0xff) as usize)).copied().unwrap_or_default()
}

/// Goes on with a checksum, eight bytes at a time: a snapshot may be large.
fn crc64(mut crc: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mixed = crc ^ u64::from_le_bytes(*word);
        crc = (0..8).fold(0, |sum, n| sum ^ at(7 - n, mixed >> (8 * n)));
    }
    rest.iter().fold(crc, |crc, byte| at(0, crc ^ u64::from(*byte)) ^ (crc >> 8))
}

/// Whether a file begins as a snapshot does.
pub(super) fn is_snapshot(file: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(file)?.take(MAGIC_LEN).read_to_end(&mut start)?;
    Ok(MAGIC.iter().any(|magic| start.starts_with(magic)))
}

/// What is wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("it has {0} bytes, and no snapshot is as short")]
    Short(u64),
    #[error("its checksum is not that of its contents")]
    Altered,
}

/// Compares a snapshot with its checksum.
pub(super) fn check(path: &Path) -> std::io::Result<Result<(), Broken>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let Some(length) = size.checked_sub(TAIL as u64).filter(|length| *length > MAGIC_LEN) else {
        return Ok(Err(Broken::Short(size)));
    };
    let (mut crc, mut left) = (0, length);
    let mut buffer = vec![0; 256 << 10];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(some) = buffer.get_mut(..most) else { break };
        file.read_exact(some)?;
        crc = crc64(crc, some);
        left -= most as u64;
    }
    let mut tail = [0; TAIL];
    file.read_exact(&mut tail)?;
    let written = u64::from_le_bytes(tail);
    // 0: it was switched off in the server that wrote it.
    Ok(if written == 0 || written == crc { Ok(()) } else { Err(Broken::Altered) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_of_either_server_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("base.rdb");
        for (start, is_one) in [
            ("REDIS0010\u{1}", true),
            ("VALKEY080\u{1}", true),
            ("*2\r\n$6\r\nSELECT", false),
            ("VAL", false),
        ] {
            std::fs::write(&file, start).unwrap();
            assert_eq!(is_snapshot(&file).unwrap(), is_one, "{start}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_of_redis() {
        // From the tests of Redis (crc64.c).
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        let long: Vec<u8> = (0..=255).cycle().take(1003).collect();
        let (one, other) = long.split_at(501);
        let bytewise = long.iter().fold(0, |crc, byte| crc64(crc, &[*byte]));
        assert_eq!(crc64(crc64(0, one), other), bytewise);
    }
}
