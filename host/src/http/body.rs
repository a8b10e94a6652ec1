//! Reads a request's body, within bounds on its size, its time, and the room that all bodies take.

use reef_api::AgentId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use reef_domain::limits::{BODY_BYTES_UNASKED, BODY_PAUSE_MS, BODY_TIME_MS};
use reef_web::{Code, Problem};
use tokio::time::{Instant, timeout_at};

use super::peers::Peer;

/// The longest pause within a body, and the longest time for all of it.
const PAUSE: Duration = Duration::from_millis(BODY_PAUSE_MS);
const TIME: Duration = Duration::from_millis(BODY_TIME_MS);
/// Room for all large bodies together, in bytes.
const ROOM: usize = 256 << 20;
/// One sender's bodies may take so much less than what they leave free. So a single one gets a fifth
/// of the room, and many share it.
const SHARE: usize = 4;

/// Whose a large body is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// The admin's.
    Admin,
    /// An agent's.
    Agent(AgentId),
    /// Of somebody without a key, from an address.
    Peer(Peer),
}

/// Reads bodies, within a bound on their size and on the room that they take together.
#[derive(Debug, Default)]
pub(super) struct BodyReader {
    room: Arc<Mutex<Taken>>,
}

/// The room that large bodies take.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_sender: HashMap<Sender, usize>,
}

/// A whole body, and the room that it takes until this is dropped.
#[derive(Debug, Default)]
pub(super) struct WholeBody {
    pub(super) bytes: Bytes,
    _place: Option<Place>,
}

/// The room that one body takes.
#[derive(Debug)]
struct Place {
    room: Arc<Mutex<Taken>>,
    sender: Sender,
    bytes: usize,
}

impl BodyReader {
    /// Reads a whole body of at most `most` bytes. A large one is read only once `admit` says whose
    /// it is.
    ///
    /// # Errors
    /// The problem to answer with. The rest of the body is left unread.
    pub(super) async fn read<A>(
        &self,
        body: &mut Incoming,
        most: usize,
        admit: impl Fn() -> A,
    ) -> Result<WholeBody, Problem>
    where
        A: Future<Output = Result<Sender, Problem>>,
    {
        // Nearly all GETs, and no timer for them.
        if body.is_end_stream() {
            return Ok(WholeBody::default());
        }
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut place = None;
        if announced > BODY_BYTES_UNASKED {
            let sender = admit().await?;
            if announced > most {
                return Err(Problem::too_large(most));
            }
            place = Some(self.place(sender));
        }
        let until = Instant::now() + TIME;
        let Some(first) = next_data(body, until).await? else {
            return Ok(WholeBody::default());
        };
        // Most bodies arrive in one piece, which is passed on as it is.
        let Some(second) = next_data(body, until).await? else {
            return Ok(WholeBody { bytes: first, _place: None });
        };
        let mut all = BytesMut::from(&first[..]);
        let mut next = Some(second);
        while let Some(data) = next {
            let size = all.len() + data.len();
            if size > most {
                return Err(Problem::too_large(most));
            }
            if size > BODY_BYTES_UNASKED {
                if place.is_none() {
                    place = Some(self.place(admit().await?));
                }
                if let Some(place) = &mut place {
                    place.grow(size)?;
                }
            }
            all.extend_from_slice(&data);
            next = next_data(body, until).await?;
        }
        Ok(WholeBody { bytes: all.freeze(), _place: place })
    }

    fn place(&self, sender: Sender) -> Place {
        Place { room: Arc::clone(&self.room), sender, bytes: 0 }
    }
}

impl Place {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes as much room as a body of `size` needs.
    fn grow(&mut self, size: usize) -> Result<(), Problem> {
        let more = size.saturating_sub(self.bytes);
        let mut taken = self.taken();
        let held = taken.by_sender.get(&self.sender).copied().unwrap_or_default();
        let free = ROOM.saturating_sub(taken.total + more);
        if (held + more) * SHARE > free {
            drop(taken);
            return Err(no_room(held > self.bytes));
        }
        taken.total += more;
        taken.by_sender.insert(self.sender.clone(), held + more);
        drop(taken);
        self.bytes = size;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken();
        taken.total = taken.total.saturating_sub(self.bytes);
        let held = taken.by_sender.get(&self.sender).copied().unwrap_or_default();
        let left = held.saturating_sub(self.bytes);
        if left == 0 {
            taken.by_sender.remove(&self.sender);
        } else {
            taken.by_sender.insert(self.sender.clone(), left);
        }
    }
}

/// `has_others`: the sender has more large bodies under way.
fn no_room(has_others: bool) -> Problem {
    if has_others {
        let detail = "You send too many large bodies at once.";
        Problem::new(Code::RateLimited, detail).with("retry-after", "1")
    } else {
        Problem::new(Code::Overloaded, "Too many large bodies are under way.")
    }
}

/// The next piece of data; trailers are left out.
async fn next_data(body: &mut Incoming, until: Instant) -> Result<Option<Bytes>, Problem> {
    loop {
        let limit = until.min(Instant::now() + PAUSE);
        let frame = timeout_at(limit, body.frame()).await.map_err(|_| Problem::body_timeout())?;
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a body could not be read");
            let detail =
                "The body is not as its headers say: it breaks off, or a chunk of it is bad.";
            Problem::new(Code::MalformedRequest, detail)
        })?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn agent(name: &str) -> Sender {
        Sender::Agent(name.into())
    }

    #[test]
    fn one_sender_leaves_room_for_others_and_gives_it_back() {
        let reader = BodyReader::default();
        let mut greedy = Vec::new();
        let refused = loop {
            let mut place = reader.place(agent("greedy"));
            match place.grow(8 * MIB) {
                Ok(()) => greedy.push(place),
                Err(problem) => break problem,
            }
        };
        assert_eq!(refused.code, Code::RateLimited);
        assert!(greedy.len() >= 3, "{}", greedy.len());
        for name in ["a", "b", "c", "d"] {
            let mut place = reader.place(agent(name));
            place.grow(8 * MIB).unwrap();
            greedy.push(place);
        }
        drop(greedy);
        let taken = reader.room.lock().unwrap();
        assert!(taken.total == 0 && taken.by_sender.is_empty());
    }

    #[test]
    fn when_many_have_taken_all_the_next_is_told_that_it_is_not_its_fault() {
        let reader = BodyReader::default();
        let mut places = Vec::new();
        let refused = loop {
            let mut place = reader.place(agent(&places.len().to_string()));
            match place.grow(8 * MIB) {
                Ok(()) => places.push(place),
                Err(problem) => break problem,
            }
        };
        assert_eq!(refused.code, Code::Overloaded);
        assert!(places.len() > 16, "{}", places.len());
    }

    #[test]
    fn a_body_grows_in_its_own_place() {
        let reader = BodyReader::default();
        let mut place = reader.place(Sender::Admin);
        for size in [100_000, 200_000, 8 * MIB] {
            place.grow(size).unwrap();
            assert_eq!(reader.room.lock().unwrap().total, size);
        }
    }
}
