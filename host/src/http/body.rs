//! Reads a request's body, within bounds.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The largest body that any route takes is a content block of 8 MiB (`api.md` §1), in JSON.
pub(super) const BODY_BYTES_MAX: u64 = 9 << 20;
/// How much of a body that is too large is read and thrown away. A client that is still sending
/// when the connection closes would see the close and never the answer.
const DISCARD_BYTES_MAX: u64 = 64 << 20;
/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A body up to this size is read without asking for room: it fits into what a connection costs
/// anyway.
const SMALL_BYTES_MAX: usize = 64 << 10;
/// Room for all larger bodies together, in [`ROOM_STEP_BYTES`].
const ROOM_STEPS: usize = 256;
/// The step in which a body takes room while it arrives, so that only clients who really send
/// much take much.
const ROOM_STEP_BYTES: usize = 1 << 20;

/// Why there is no body.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// Other large bodies take all the room.
    NoRoom,
    /// The client went away, sent something else than it announced, or took too long.
    Broken,
}

/// Reads bodies, within a bound on their size and on the room that they take together.
#[derive(Debug)]
pub(super) struct BodyReader {
    room: Arc<Semaphore>,
}

/// A whole body, and the room that it takes until this is dropped.
#[derive(Debug, Default)]
pub(super) struct WholeBody {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl BodyReader {
    pub(super) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM_STEPS)) }
    }

    /// Reads a whole body.
    ///
    /// `waits` says that the client waits for a word before it sends the body (`Expect:
    /// 100-continue`), so that nothing needs to be thrown away.
    pub(super) async fn read(&self, body: Incoming, waits: bool) -> Result<WholeBody, Unread> {
        // Nearly all GETs, and no timer for them.
        if body.is_end_stream() {
            return Ok(WholeBody::default());
        }
        let announced = body.size_hint().lower();
        if announced > DISCARD_BYTES_MAX || (waits && announced > BODY_BYTES_MAX) {
            return Err(Unread::TooLarge);
        }
        timeout(READ_TIMEOUT, self.collect(body)).await.unwrap_or(Err(Unread::Broken))
    }

    async fn collect(&self, mut body: Incoming) -> Result<WholeBody, Unread> {
        let Some(first) = next_data(&mut body).await? else { return Ok(WholeBody::default()) };
        let mut size = first.len() as u64;
        // Most bodies arrive in one piece, which is passed on as it is.
        let Some(second) = next_data(&mut body).await? else {
            return Ok(WholeBody { bytes: first, _room: None });
        };
        let mut all = BytesMut::from(&first[..]);
        let mut room = None;
        let mut next = Some(second);
        while let Some(data) = next {
            size += data.len() as u64;
            if size > DISCARD_BYTES_MAX {
                return Err(Unread::TooLarge);
            }
            if size <= BODY_BYTES_MAX {
                self.make_room(&mut room, all.len() + data.len())?;
                all.extend_from_slice(&data);
            } else {
                (all, room) = (BytesMut::new(), None);
            }
            next = next_data(&mut body).await?;
        }
        if size > BODY_BYTES_MAX {
            return Err(Unread::TooLarge);
        }
        Ok(WholeBody { bytes: all.freeze(), _room: room })
    }

    /// Takes as much room as a body of `size` needs beyond what it has.
    fn make_room(
        &self,
        room: &mut Option<OwnedSemaphorePermit>,
        size: usize,
    ) -> Result<(), Unread> {
        if size <= SMALL_BYTES_MAX {
            return Ok(());
        }
        let has = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = size.div_ceil(ROOM_STEP_BYTES).saturating_sub(has);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let more =
            Arc::clone(&self.room).try_acquire_many_owned(missing).map_err(|_| Unread::NoRoom)?;
        match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_in_steps_and_given_back() {
        let reader = BodyReader::new();
        let mut room = None;
        reader.make_room(&mut room, SMALL_BYTES_MAX).unwrap();
        assert!(room.is_none());
        for size in [SMALL_BYTES_MAX + 1, ROOM_STEP_BYTES, ROOM_STEP_BYTES + 1, 3 << 20] {
            reader.make_room(&mut room, size).unwrap();
            assert_eq!(room.as_ref().unwrap().num_permits(), size.div_ceil(ROOM_STEP_BYTES));
        }
        let mut other = None;
        let rest = (ROOM_STEPS - 3) * ROOM_STEP_BYTES;
        assert!(matches!(reader.make_room(&mut other, rest + 1), Err(Unread::NoRoom)));
        drop(room);
        reader.make_room(&mut other, rest + 1).unwrap();
    }
}
