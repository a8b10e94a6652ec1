//! Reads a request's body, within bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

/// The largest body that any route takes is a content block of 8 MiB (`api.md` §1), in JSON.
pub(super) const BODY_BYTES_MAX: u64 = 9 << 20;
/// How much of a body that is too large is read and thrown away. A client that is still sending
/// when the connection closes would see the close and never the answer.
const DISCARD_BYTES_MAX: u64 = 64 << 20;
/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no body.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// The client went away, sent something else than it announced, or took too long.
    Broken,
}

/// Reads a whole body.
///
/// `waits` says that the client waits for a word before it sends the body (`Expect:
/// 100-continue`), so that nothing needs to be thrown away.
pub(super) async fn read(body: Incoming, waits: bool) -> Result<Bytes, Unread> {
    // Nearly all GETs, and no timer for them.
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if waits && body.size_hint().lower() > BODY_BYTES_MAX {
        return Err(Unread::TooLarge);
    }
    timeout(READ_TIMEOUT, collect(body)).await.unwrap_or(Err(Unread::Broken))
}

async fn collect(mut body: Incoming) -> Result<Bytes, Unread> {
    let announced = body.size_hint().lower();
    if announced > DISCARD_BYTES_MAX {
        return Err(Unread::TooLarge);
    }
    let Some(first) = next_data(&mut body).await? else { return Ok(Bytes::new()) };
    let mut size = first.len() as u64;
    // Most bodies arrive in one piece, which is passed on as it is.
    let mut pieces = Pieces::One(first);
    while let Some(data) = next_data(&mut body).await? {
        size += data.len() as u64;
        if size > DISCARD_BYTES_MAX {
            return Err(Unread::TooLarge);
        }
        if size <= BODY_BYTES_MAX {
            pieces.push(&data);
        }
    }
    if size > BODY_BYTES_MAX { Err(Unread::TooLarge) } else { Ok(pieces.join()) }
}

/// The next piece of data; trailers are left out.
async fn next_data(body: &mut Incoming) -> Result<Option<Bytes>, Unread> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

enum Pieces {
    One(Bytes),
    Many(BytesMut),
}

impl Pieces {
    fn push(&mut self, data: &[u8]) {
        if let Self::One(first) = self {
            *self = Self::Many(BytesMut::from(&first[..]));
        }
        if let Self::Many(all) = self {
            all.extend_from_slice(data);
        }
    }

    fn join(self) -> Bytes {
        match self {
            Self::One(all) => all,
            Self::Many(all) => all.freeze(),
        }
    }
}
