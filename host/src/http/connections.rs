//! The open connections: how many there may be, of one address and in all, and which must give way.
//!
//! A connection is *new* until its first request, *named* once a good key has come over it, and
//! *nameless* else. Nameless ones have a bound for each address and leave a part of all places free,
//! so that callers with keys always find one. When there is no room, a connection that nobody uses
//! is closed, which HTTP allows at any time: first one of the address that has most.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::listener::HEAD_TIMEOUT;
use super::peers::Peer;

/// How long a connection may take for its first request.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How often connections without a first request are looked for.
const SWEEP_PERIOD: Duration = Duration::from_secs(5);
/// The part of all places that nameless connections leave free: one in so many.
const RESERVE: u32 = 8;

const NEW: u8 = 0;
const NAMELESS: u8 = 1;
const NAMED: u8 = 2;

/// All open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    started: Instant,
    most: usize,
    nameless_most: usize,
    per_peer: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Arc<State>>,
    /// New and nameless connections of each address.
    peers: HashMap<Peer, Count>,
    nameless: usize,
    next: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    new: usize,
    nameless: usize,
}

#[derive(Debug)]
struct State {
    id: u64,
    peer: Peer,
    kind: AtomicU8,
    under_way: AtomicU32,
    /// When it was opened or its last request was answered, in milliseconds.
    since: AtomicU64,
    give_way: Notify,
    /// It should end as soon as what is under way has.
    leave: Notify,
    /// What comes after the answer is read and thrown away.
    lingers: Arc<AtomicBool>,
}

/// One open connection, as long as it is held.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Arc<Connections>,
    state: Arc<State>,
}

/// A request under way on a connection, until its answer is sent.
#[derive(Debug)]
pub(crate) struct UnderWay {
    all: Arc<Connections>,
    state: Arc<State>,
}

/// Whether a request finds room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// It does.
    Found,
    /// There is none for a connection without a good key.
    None,
}

impl Connections {
    /// At most `most`, of which one address without a key has at most `per_peer`.
    pub(crate) fn new(most: u32, per_peer: u32) -> Arc<Self> {
        let reserve = most / RESERVE;
        Arc::new(Self {
            started: Instant::now(),
            most: most as usize,
            nameless_most: (most - reserve) as usize,
            per_peer: per_peer as usize,
            table: Mutex::default(),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes a place for a new connection; `None` where all are in use.
    pub(crate) fn open(self: &Arc<Self>, peer: Peer) -> Option<Connection> {
        let mut table = self.table();
        // One that is new may turn out to be named, so that an address gets some beyond its bound.
        let slack = (self.per_peer / RESERVE as usize).max(1);
        let held = table.peers.get(&peer).copied().unwrap_or_default();
        if held.new + held.nameless >= self.per_peer && !table.make_room(Some(peer)) {
            let has_slack = held.new + held.nameless < self.per_peer + slack;
            if !has_slack {
                return None;
            }
        }
        if table.open.len() >= self.most && !table.make_room(None) {
            return None;
        }
        let id = table.next;
        table.next += 1;
        let state = Arc::new(State {
            id,
            peer,
            kind: AtomicU8::new(NEW),
            under_way: AtomicU32::new(0),
            since: AtomicU64::new(self.now()),
            give_way: Notify::new(),
            leave: Notify::new(),
            lingers: Arc::default(),
        });
        table.open.insert(id, Arc::clone(&state));
        table.peers.entry(peer).or_default().new += 1;
        drop(table);
        Some(Connection { all: Arc::clone(self), state })
    }

    /// Closes connections whose first request does not come, and those that nobody has used for long;
    /// never returns. Those of HTTP/1.1 see to the latter themselves.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(SWEEP_PERIOD);
        loop {
            ticks.tick().await;
            let now = self.now();
            let mut table = self.table();
            let idle_for = |state: &State| {
                let rests = now.saturating_sub(state.since.load(Ordering::Relaxed));
                if state.is_idle() { Duration::from_millis(rests) } else { Duration::ZERO }
            };
            let mut late = Vec::new();
            for state in table.open.values() {
                let rests = idle_for(state);
                let is_new = state.kind.load(Ordering::Relaxed) == NEW;
                if rests > if is_new { FIRST_REQUEST_TIMEOUT } else { HEAD_TIMEOUT + SWEEP_PERIOD }
                {
                    late.push(Arc::clone(state));
                } else if rests > HEAD_TIMEOUT {
                    state.leave.notify_one();
                }
            }
            for state in late {
                table.close(&state);
            }
        }
    }
}

impl Table {
    /// Closes the connection that is needed least: one without a request under way; a new or nameless
    /// one before a named one; of the address that has most; the longest idle. With a `peer` only a
    /// new or nameless one of that address.
    fn make_room(&mut self, peer: Option<Peer>) -> bool {
        let rank = |state: &Arc<State>| {
            let kind = state.kind.load(Ordering::Relaxed);
            let count = self.peers.get(&state.peer).copied().unwrap_or_default();
            let held = if kind == NAMED { 0 } else { count.new + count.nameless };
            (kind != NAMED, held, u64::MAX - state.since.load(Ordering::Relaxed))
        };
        let may_go = |state: &&Arc<State>| {
            let fits = peer.is_none_or(|peer| {
                state.peer == peer && state.kind.load(Ordering::Relaxed) != NAMED
            });
            fits && state.is_idle()
        };
        let found = self.open.values().filter(may_go).max_by_key(|state| rank(state)).cloned();
        found.is_some_and(|state| {
            self.close(&state);
            true
        })
    }

    fn close(&mut self, state: &Arc<State>) {
        self.forget(state);
        state.give_way.notify_one();
    }

    fn forget(&mut self, state: &Arc<State>) {
        if self.open.remove(&state.id).is_some() {
            self.count(state, -1);
        }
    }

    /// Counts a connection among those of its kind, or no longer.
    fn count(&mut self, state: &State, change: isize) {
        let kind = state.kind.load(Ordering::Relaxed);
        if kind == NAMED {
            return;
        }
        let held = self.peers.entry(state.peer).or_default();
        let number = if kind == NEW { &mut held.new } else { &mut held.nameless };
        *number = number.saturating_add_signed(change);
        if held.new + held.nameless == 0 {
            self.peers.remove(&state.peer);
        }
        if kind == NAMELESS {
            self.nameless = self.nameless.saturating_add_signed(change);
        }
    }

    fn turn_into(&mut self, state: &Arc<State>, kind: u8) {
        // One that has given way is not counted any more.
        let is_counted = self.open.contains_key(&state.id);
        if is_counted {
            self.count(state, -1);
        }
        state.kind.store(kind, Ordering::Relaxed);
        if is_counted {
            self.count(state, 1);
        }
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }
}

impl Connection {
    /// Notes that a request has come.
    pub(crate) fn begin(&self) -> UnderWay {
        self.state.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay { all: Arc::clone(&self.all), state: Arc::clone(&self.state) }
    }

    /// Waits until the connection has to give way.
    pub(crate) async fn until_not_needed(&self) {
        loop {
            self.state.give_way.notified().await;
            if self.state.is_idle() {
                return;
            }
        }
    }

    /// Waits until the connection should take no more requests.
    pub(crate) async fn until_told_to_leave(&self) {
        self.state.leave.notified().await;
    }

    /// Set where a body is left unread: a client that is still sending would see the connection
    /// break and never the answer.
    pub(crate) fn lingers(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.state.lingers)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.table().forget(&self.state);
    }
}

impl UnderWay {
    /// Where the connection comes from.
    pub(crate) fn peer(&self) -> Peer {
        self.state.peer
    }

    /// A good key has come over this connection.
    pub(crate) fn name(&self) {
        if self.state.kind.load(Ordering::Relaxed) != NAMED {
            self.all.table().turn_into(&self.state, NAMED);
        }
    }

    /// Takes a place for a connection over which no good key has come. One that finds none is told
    /// to leave.
    pub(crate) fn stay_nameless(&self) -> Room {
        if self.state.kind.load(Ordering::Relaxed) != NEW {
            return Room::Found;
        }
        let mut table = self.all.table();
        let held = table.peers.get(&self.state.peer).copied().unwrap_or_default();
        if held.nameless >= self.all.per_peer || table.nameless >= self.all.nameless_most {
            self.state.leave.notify_one();
            return Room::None;
        }
        table.turn_into(&self.state, NAMELESS);
        Room::Found
    }

    /// Reads and throws away what still comes once the answer is sent.
    pub(crate) fn linger(&self) {
        self.state.lingers.store(true, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.state.since.store(self.all.now(), Ordering::Relaxed);
        self.state.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::of(([10, 0, 0, number], 1).into())
    }

    fn is_closed(connection: &Connection) -> bool {
        futures_util::FutureExt::now_or_never(connection.until_not_needed()).is_some()
    }

    #[test]
    fn idle_ones_give_way_those_of_the_greediest_address_first() {
        let all = Connections::new(4, 100);
        let other = all.open(peer(1)).unwrap();
        let greedy: Vec<_> = (0..3).map(|_| all.open(peer(2)).unwrap()).collect();
        let _new = all.open(peer(3)).unwrap();
        assert!(!is_closed(&other));
        assert_eq!(greedy.iter().filter(|one| is_closed(one)).count(), 1);
        assert_eq!(all.table().open.len(), 4);
    }

    #[test]
    fn what_is_under_way_stays_and_what_is_named_goes_last() {
        let all = Connections::new(3, 100);
        let busy = all.open(peer(1)).unwrap();
        let under_way = busy.begin();
        assert_eq!(under_way.stay_nameless(), Room::Found);
        let named = all.open(peer(1)).unwrap();
        named.begin().name();
        let idle = all.open(peer(2)).unwrap();
        let first = all.open(peer(3)).unwrap();
        assert!(is_closed(&idle) && !is_closed(&named) && !is_closed(&busy));
        let request = first.begin();
        let second = all.open(peer(3)).unwrap();
        assert!(is_closed(&named));
        let other = second.begin();
        assert!(all.open(peer(4)).is_none(), "all are in use");
        drop((under_way, request, other));
        assert!(all.open(peer(4)).is_some());
    }

    #[test]
    fn an_address_has_a_bound_without_a_key_and_some_slack_for_one_with_a_key() {
        let all = Connections::new(100, 2);
        let held: Vec<_> = (0..2).map(|_| all.open(peer(1)).unwrap()).collect();
        let requests: Vec<_> = held.iter().map(Connection::begin).collect();
        assert!(requests.iter().all(|request| request.stay_nameless() == Room::Found));
        let third = all.open(peer(1)).unwrap();
        let request = third.begin();
        assert_eq!(request.stay_nameless(), Room::None);
        assert!(all.open(peer(1)).is_none());
        request.name();
        assert!(all.open(peer(1)).is_some(), "it is not counted with them any more");
        assert!(all.open(peer(2)).is_some());
    }

    #[test]
    fn nameless_ones_leave_a_reserve() {
        let all = Connections::new(16, 100);
        let held: Vec<_> = (0..16).map(|_| all.open(peer(1)).unwrap()).collect();
        let requests: Vec<_> = held.iter().map(Connection::begin).collect();
        let found = requests.iter().filter(|one| one.stay_nameless() == Room::Found).count();
        assert_eq!(found, 14);
        drop((requests, held));
        let table = all.table();
        assert!(table.open.is_empty() && table.peers.is_empty() && table.nameless == 0);
    }
}
