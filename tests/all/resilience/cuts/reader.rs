//! A reader of a stream whose connections break, and who goes on at another host each time.

use fastrand::Rng;

use crate::harness::{Client, End, EventStream, Frame, PATIENCE, eventually};

/// Where connections break.
#[derive(Clone, Copy, Debug)]
pub enum Cuts {
    /// Nowhere.
    None,
    /// After every event.
    AfterEachEvent,
    /// After any number of bytes: within the answer's head, a chunk, a frame, a character.
    AnyByte,
}

/// Names of the place of the last event, any of which a reader may come back with.
pub struct Place {
    pub names: Vec<String>,
}

/// A reader, and what it has got.
pub struct Reader<'a> {
    hosts: &'a [Client],
    path: String,
    rng: Rng,
    cuts: Cuts,
    /// The host of the connection before.
    host: usize,
    /// How many connections brought nothing since the last event.
    fruitless: u32,
    /// How many connections were made.
    pub connections: usize,
}

impl<'a> Reader<'a> {
    pub fn new(hosts: &'a [Client], path: String, cuts: Cuts, mut rng: Rng) -> Self {
        let host = rng.usize(..hosts.len());
        Self { hosts, path, rng, cuts, host, fruitless: 0, connections: 0 }
    }

    /// Reads from a place on. Each event goes to `take`, which says where the reader is then, or
    /// nothing when it wants no more. The stream may end only after that.
    #[track_caller]
    pub fn read(&mut self, begin: Place, mut take: impl FnMut(&Frame) -> Option<Place>) {
        let mut place = begin;
        loop {
            let (bytes, most) = self.next_cut();
            self.fruitless += 1;
            assert!(self.fruitless < 50, "no event in so many connections");
            let Some(mut stream) = self.connect(&place, bytes) else { continue };
            if stream.status == 204 {
                // It has got everything; whether that is so, the caller finds out.
                return;
            }
            assert_eq!(stream.status, 200, "{:?}", place.names);
            for _ in 0..most {
                let Some(frame) = stream.next_event() else {
                    assert_eq!(stream.rest().1, End::Cut, "over before the end");
                    break;
                };
                self.fruitless = 0;
                match take(&frame) {
                    Some(next) => place = next,
                    None => return,
                }
            }
        }
    }

    /// Connects to another host than before, under any name of the place. Nothing, if that was
    /// cut before there was an answer.
    #[track_caller]
    fn connect(&mut self, place: &Place, bytes: u64) -> Option<EventStream> {
        self.host = (self.host + self.rng.usize(1..self.hosts.len().max(2))) % self.hosts.len();
        self.connections += 1;
        let name = self.rng.choice(&place.names).unwrap();
        let (client, path) = if self.rng.bool() {
            (self.hosts[self.host].clone(), format!("{}?last_id={name}", self.path))
        } else {
            let outdated = *self.rng.choice(&["", "?last_id=0", "?last_id="]).unwrap();
            (self.hosts[self.host].with("last-event-id", name), format!("{}{outdated}", self.path))
        };
        // Only Redis can be away here, and it comes back.
        eventually("a stream", PATIENCE, || match client.stream_and_cut(&path, bytes) {
            Some(stream) if stream.status == 503 => None,
            answered => Some(answered),
        })
    }

    /// After how many bytes or events the next connection breaks.
    fn next_cut(&mut self) -> (u64, usize) {
        match self.cuts {
            Cuts::None => (u64::MAX, usize::MAX),
            Cuts::AfterEachEvent => (u64::MAX, 1),
            // A head has about 250 bytes, most events have 300, and a snapshot may have any
            // number, so that patience must grow.
            Cuts::AnyByte => (self.rng.u64(1..2000 << self.fruitless.min(20)), usize::MAX),
        }
    }
}
