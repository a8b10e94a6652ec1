//! How many files and connections this process may have open.

use rlimit::Resource;

/// Descriptors that no HTTP client gets: those of Redis, of a private Redis that must be started
/// again, of alerts, and of what is read at the start.
const RESERVE: u64 = 64;

/// Raises the limit of this process as far as so many connections need, and says how many there can
/// be. The programs that a host starts are Redis servers, which want many as well.
pub(crate) fn make_room(connections: u32) -> u32 {
    let wanted = u64::from(connections) + RESERVE;
    let limit = match Resource::NOFILE.get() {
        Ok((soft, _)) if soft >= wanted => return connections,
        Ok((soft, hard)) => match Resource::NOFILE.set(wanted.min(hard), hard) {
            Ok(()) => wanted.min(hard),
            Err(error) => {
                tracing::warn!(%error, "the limit of open files cannot be raised");
                soft
            }
        },
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be read");
            return connections;
        }
    };
    let room = room(limit).min(connections);
    if room < connections {
        tracing::warn!(
            limit,
            "at most {room} connections are taken, because the system lets this process open no \
             more files; raise the hard limit (ulimit -Hn, LimitNOFILE)"
        );
    }
    room
}

/// The connections that fit below a limit.
fn room(limit: u64) -> u32 {
    let room = limit.saturating_sub(RESERVE).max(limit / 4).max(1);
    u32::try_from(room).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_kept_as_long_as_there_is_room_at_all() {
        assert_eq!((room(1024), room(256), room(80), room(2)), (960, 192, 20, 1));
    }
}
