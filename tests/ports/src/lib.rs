//! Ports for servers that must be told theirs before they start.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::Mutex;

/// Below the ports that Linux hands out by itself (`ip_local_port_range`), so that no outgoing
/// connection takes one between the choice and the server's start.
const RANGE: RangeInclusive<u16> = 20_000..=32_000;

/// The locks of what this process has taken. They end with it.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port of loopback that nobody uses, and that no other process gets from here until this one
/// ends.
///
/// # Errors
///
/// The folder of the locks cannot be written, or every port is taken.
pub fn free_port() -> io::Result<u16> {
    let folder = std::env::temp_dir().join("reef-ports");
    std::fs::create_dir_all(&folder)?;
    // Processes that start together look at different ones first.
    let first = std::process::id().wrapping_mul(97);
    let count = u32::from(RANGE.end() - RANGE.start());
    for step in 0..count {
        let offset = first.wrapping_add(step) % count;
        let port = RANGE.start() + u16::try_from(offset).unwrap_or_default();
        let lock = File::create(folder.join(port.to_string()))?;
        if lock.try_lock().is_err() || TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(lock);
        return Ok(port);
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "each port for tests is taken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        let mut different = ports.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), ports.len());
        assert!(ports.iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()));
    }
}
