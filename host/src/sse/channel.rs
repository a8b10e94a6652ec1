//! One channel: the latest events of one stream, kept once for all its readers.
//!
//! A reader holds nothing but its position. Whoever does not keep up finds its position gone and
//! reads from Redis what it has missed, as fast as it can take it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::frame::{Announcement, Frame};

/// How many events a reader may be behind before it has to go back to Redis. Far more than what
/// piles up while a healthy reader waits for its turn.
const FRAMES_MAX: usize = 1024;
/// How many bytes of events a channel keeps; the youngest event is kept whatever its size.
const BYTES_MAX: usize = 1 << 20;

/// The latest events of one stream.
#[derive(Debug)]
pub(super) struct Channel {
    state: Mutex<State>,
    /// Says that there is something new to look at.
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the connections to Redis; 0 while none listens. Between two numbers events may be
    /// missing.
    epoch: u64,
    /// How many events have been dropped: the number of the first that is kept.
    base: u64,
    announced: VecDeque<Announcement>,
    bytes: usize,
    /// The number of the first event that is younger than the last sweep.
    young: u64,
    is_closing: bool,
}

/// Where in a channel a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    epoch: u64,
    next: u64,
}

/// What a reader finds at its position.
#[derive(Debug)]
pub(super) enum Found {
    /// The next event.
    Frame(Frame),
    /// Nothing yet.
    Nothing,
    /// Redis holds something new.
    News,
    /// A hole: events may be missing here, or all of them are gone.
    Hole,
    /// The host is stopping.
    Closing,
}

/// Where a reader can enter a channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// From here on nothing will be missed.
    At(Position),
    /// Nobody listens to Redis at the moment.
    NotYet,
    /// The host is stopping.
    Closing,
}

impl Channel {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), news: watch::Sender::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be woken when there is something new. Marked as seen before the channel is looked at,
    /// nothing is overlooked.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Notes that a connection listens now; what was announced before it may be incomplete.
    pub(super) fn listened(&self, epoch: u64) {
        let mut state = self.state();
        if state.epoch != epoch {
            state.epoch = epoch;
            state.drop_before(u64::MAX);
        }
        drop(state);
        self.news.send_replace(());
    }

    /// Notes that the connection is gone.
    pub(super) fn lost(&self) {
        // Nobody needs to wake for it: readers notice when the next connection listens.
        self.state().epoch = 0;
    }

    /// Ends all readers.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.news.send_replace(());
    }

    /// Takes in what has just been announced.
    pub(super) fn push(&self, announcement: Announcement) {
        let mut state = self.state();
        state.bytes += size(&announcement);
        state.announced.push_back(announcement);
        while state.announced.len() > FRAMES_MAX
            || (state.bytes > BYTES_MAX && state.announced.len() > 1)
        {
            let first = state.base;
            state.drop_before(first + 1);
        }
        drop(state);
        self.news.send_replace(());
    }

    /// Drops what was there at the sweep before: healthy readers have long taken it.
    pub(super) fn sweep(&self) {
        let mut state = self.state();
        let old = state.young;
        state.drop_before(old);
        state.young = state.head();
        if state.announced.is_empty() {
            state.announced = VecDeque::new();
        }
    }

    /// Where a reader that has read everything so far goes on.
    pub(super) fn entrance(&self) -> Entrance {
        let state = self.state();
        match (state.is_closing, state.epoch) {
            (true, _) => Entrance::Closing,
            (false, 0) => Entrance::NotYet,
            (false, epoch) => Entrance::At(Position { epoch, next: state.head() }),
        }
    }

    /// What is at a position, which moves on behind it.
    pub(super) fn read(&self, position: &mut Position) -> Found {
        let state = self.state();
        if state.is_closing {
            return Found::Closing;
        }
        // While nobody listens, what was announced until then is still good.
        if (state.epoch != position.epoch && state.epoch != 0) || position.next < state.base {
            return Found::Hole;
        }
        let index = usize::try_from(position.next - state.base).unwrap_or(usize::MAX);
        let Some(announcement) = state.announced.get(index) else { return Found::Nothing };
        position.next += 1;
        match announcement {
            Announcement::Event(frame) => Found::Frame(frame.clone()),
            Announcement::Removed => Found::Hole,
            Announcement::News => Found::News,
        }
    }
}

impl State {
    fn head(&self) -> u64 {
        self.base + self.announced.len() as u64
    }

    fn drop_before(&mut self, number: u64) {
        while self.base < number
            && let Some(announcement) = self.announced.pop_front()
        {
            self.base += 1;
            self.bytes -= size(&announcement);
        }
    }
}

fn size(announcement: &Announcement) -> usize {
    match announcement {
        Announcement::Event(frame) => frame.bytes.len(),
        Announcement::Removed | Announcement::News => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::StreamId;
    use super::*;

    fn frame(ms: u64, size: usize) -> Announcement {
        let id = StreamId::parse(&format!("{ms}-0")).unwrap();
        Announcement::Event(Frame::new(id, "x", &"y".repeat(size)))
    }

    fn enter(channel: &Channel) -> Position {
        match channel.entrance() {
            Entrance::At(position) => position,
            other => panic!("{other:?}"),
        }
    }

    fn taken(channel: &Channel, position: &mut Position) -> Vec<String> {
        let mut ids = Vec::new();
        while let Found::Frame(frame) = channel.read(position) {
            ids.push(frame.id.to_string());
        }
        ids
    }

    #[test]
    fn a_reader_gets_what_comes_after_it() {
        let channel = Channel::new();
        assert_eq!(channel.entrance(), Entrance::NotYet);
        channel.listened(1);
        channel.push(frame(1, 1));
        let mut position = enter(&channel);
        assert!(matches!(channel.read(&mut position), Found::Nothing));
        channel.push(frame(2, 1));
        channel.push(frame(3, 1));
        assert_eq!(taken(&channel, &mut position), ["2-0", "3-0"]);
    }

    #[test]
    fn a_new_connection_is_a_hole_and_a_lost_one_is_not() {
        let channel = Channel::new();
        channel.listened(1);
        let mut position = enter(&channel);
        channel.push(frame(1, 1));
        channel.lost();
        assert_eq!(taken(&channel, &mut position), ["1-0"]);
        assert!(matches!(channel.read(&mut position), Found::Nothing));
        assert_eq!(channel.entrance(), Entrance::NotYet);
        channel.listened(2);
        channel.push(frame(3, 1));
        assert!(matches!(channel.read(&mut position), Found::Hole));
        assert!(matches!(channel.read(&mut enter(&channel)), Found::Nothing));
    }

    #[test]
    fn a_channel_keeps_a_bounded_number_of_events_and_bytes() {
        let channel = Channel::new();
        channel.listened(1);
        let mut slow = enter(&channel);
        for n in 0..=FRAMES_MAX as u64 {
            channel.push(frame(n + 1, 1));
        }
        assert!(matches!(channel.read(&mut slow), Found::Hole));
        let mut large = enter(&channel);
        channel.push(frame(5000, BYTES_MAX));
        assert_eq!(taken(&channel, &mut large), ["5000-0"]);
        channel.push(frame(5001, 1));
        assert_eq!(taken(&channel, &mut large), ["5001-0"]);
        assert_eq!(channel.state().announced.len(), 1);
    }

    #[test]
    fn a_sweep_drops_what_has_seen_one_already() {
        let channel = Channel::new();
        channel.listened(1);
        let mut reader = enter(&channel);
        channel.push(frame(1, 1));
        channel.sweep();
        assert_eq!(taken(&channel, &mut reader.clone()), ["1-0"]);
        channel.sweep();
        assert!(matches!(channel.read(&mut reader), Found::Hole));
        assert_eq!(channel.state().bytes, 0);
    }

    #[test]
    fn a_removal_sends_readers_back_to_redis_after_all_that_came_before_it() {
        let channel = Channel::new();
        channel.listened(1);
        let mut reader = enter(&channel);
        channel.push(frame(1, 1));
        channel.push(Announcement::Removed);
        assert!(matches!(channel.read(&mut reader), Found::Frame(_)));
        assert!(matches!(channel.read(&mut reader), Found::Hole));
        assert!(matches!(channel.read(&mut enter(&channel)), Found::Nothing));
    }

    #[test]
    fn closing_comes_before_everything_else() {
        let channel = Channel::new();
        channel.listened(1);
        let mut position = enter(&channel);
        channel.push(frame(1, 1));
        channel.close();
        assert!(matches!(channel.read(&mut position), Found::Closing));
        assert_eq!(channel.entrance(), Entrance::Closing);
    }
}
