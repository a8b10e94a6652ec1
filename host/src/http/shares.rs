//! A fair share of the requests under way. A caller that is alone has all there is. Where there are
//! several, none has more under way than its part, so that whoever sends a hundred at once waits for
//! itself and not others for it; and the longer a caller's requests take beside those of the others,
//! the smaller its part.
//!
//! Callers are told apart by their keys where those were good before, else by their addresses. What
//! waits is bounded by the connections that it waits on, who is remembered by the requests of a
//! second.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::peers::{Peer, Standing};

/// Requests under way that are shared, for each core: about as many as keep it busy while some of
/// them wait for Redis.
const EACH_CORE: usize = 4;

/// A caller whose requests take no longer than those of others may have so many, however many
/// callers there are. One is everybody's.
const LEAST: usize = 2;

/// A caller counts as one for so long after its last request: most send one after the other, and
/// would find the others' parts grown each time.
const REMEMBERED: Duration = Duration::from_secs(1);

/// How often those that have not called for long are forgotten.
const FORGETS_EACH: Duration = Duration::from_millis(100);

/// After so many more that wait, those that have gone are cleared away.
const CLEARED_EACH: usize = 64;

/// Of so many requests, the last counts one in how long a caller's requests take.
const SMOOTHED_OVER: f64 = 8.0;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// Whoever brings this key.
    Key(u64),
    /// Whoever calls from there.
    Peer(Peer),
}

impl Caller {
    /// The caller of a request.
    pub(crate) fn of(standing: Standing, peer: Peer) -> Self {
        match standing {
            Standing::Proven(key) => Self::Key(key),
            Standing::Unproven(_) | Standing::Anonymous => Self::Peer(peer),
        }
    }
}

/// Who has how many requests under way.
#[derive(Debug)]
pub(crate) struct Shares {
    shared: usize,
    callers: Mutex<Callers>,
}

#[derive(Debug)]
struct Callers {
    each: HashMap<Caller, Share>,
    /// How long a request of each takes, summed over them, in seconds.
    seconds: f64,
    forgot: Instant,
}

/// What one caller has. While any of it waits, some of it is under way, whose end lets it go on.
#[derive(Debug)]
struct Share {
    under_way: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
    /// How long a request of it takes, in seconds: a moving average.
    seconds: f64,
    last: Instant,
}

/// A request is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// `None` once it has ended.
    shares: Option<Arc<Shares>>,
    caller: Caller,
    /// `None` until somebody has it.
    begun: Option<Instant>,
}

impl Shares {
    /// For a machine with so many cores.
    pub(crate) fn new(cores: usize) -> Arc<Self> {
        let callers = Callers { each: HashMap::new(), seconds: 0.0, forgot: Instant::now() };
        Arc::new(Self { shared: cores * EACH_CORE, callers: Mutex::new(callers) })
    }

    /// Waits until a request of the caller may go on.
    pub(crate) async fn take(self: &Arc<Self>, caller: Caller) -> Turn {
        let turn = {
            let now = Instant::now();
            let mut callers = self.lock();
            callers.forget(now);
            if callers.has_room(caller, self.shared) {
                callers.share(caller, now).under_way += 1;
                return self.turn(caller, Some(now));
            }
            let (sender, turn) = oneshot::channel();
            callers.share(caller, now).wait(sender);
            turn
        };
        let begun = |mut turn: Turn| {
            turn.begun = Some(Instant::now());
            turn
        };
        // It is never let go without a turn; if it were, nobody need wait for that.
        turn.await.map_or_else(
            |_| {
                let now = Instant::now();
                self.lock().share(caller, now).under_way += 1;
                self.turn(caller, Some(now))
            },
            begun,
        )
    }

    fn turn(self: &Arc<Self>, caller: Caller, begun: Option<Instant>) -> Turn {
        Turn { shares: Some(Arc::clone(self)), caller, begun }
    }

    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a request, and finds those of the caller's that may go on now.
    fn end(
        self: &Arc<Self>,
        caller: Caller,
        begun: Option<Instant>,
    ) -> Vec<(oneshot::Sender<Turn>, Turn)> {
        let now = Instant::now();
        let mut callers = self.lock();
        callers.note_end(caller, begun, now);
        let part = callers.part(caller, self.shared);
        let Some(share) = callers.each.get_mut(&caller) else { return Vec::new() };
        let mut next = Vec::new();
        while share.under_way < part {
            let Some(sender) = share.waiting.pop_front() else { break };
            share.under_way += 1;
            next.push((sender, self.turn(caller, None)));
        }
        next
    }
}

impl Callers {
    fn share(&mut self, caller: Caller, now: Instant) -> &mut Share {
        let new = || Share { under_way: 0, waiting: VecDeque::new(), seconds: 0.0, last: now };
        self.each.entry(caller).or_insert_with(new)
    }

    fn note_end(&mut self, caller: Caller, begun: Option<Instant>, now: Instant) {
        let Some(share) = self.each.get_mut(&caller) else { return };
        share.under_way = share.under_way.saturating_sub(1);
        share.last = now;
        let Some(begun) = begun else { return };
        let took = now.duration_since(begun).as_secs_f64();
        let first = share.seconds == 0.0;
        let change = (took - share.seconds) / if first { 1.0 } else { SMOOTHED_OVER };
        share.seconds += change;
        self.seconds += change;
    }

    /// Forgets who has not called for long.
    fn forget(&mut self, now: Instant) {
        if now.duration_since(self.forgot) < FORGETS_EACH {
            return;
        }
        self.forgot = now;
        self.each
            .retain(|_, share| share.under_way > 0 || now.duration_since(share.last) < REMEMBERED);
        self.seconds = self.each.values().map(|share| share.seconds).sum();
    }

    /// How many one caller may have under way.
    fn part(&self, caller: Caller, shared: usize) -> usize {
        let own = self.each.get(&caller);
        let others = self.each.len() - usize::from(own.is_some());
        if others == 0 {
            return usize::MAX;
        }
        let part = (shared / (others + 1)).max(LEAST);
        let own = own.map_or(0.0, |share| share.seconds);
        let of_others = (self.seconds - own) / others as f64;
        if own <= of_others || of_others <= 0.0 {
            return part;
        }
        ((part as f64 * of_others / own).round() as usize).max(1)
    }

    fn has_room(&self, caller: Caller, shared: usize) -> bool {
        self.each.get(&caller).is_none_or(|share| {
            share.waiting.is_empty() && share.under_way < self.part(caller, shared)
        })
    }
}

impl Share {
    /// Lets a request wait. Those that have gone are cleared away before they become many.
    fn wait(&mut self, sender: oneshot::Sender<Turn>) {
        self.waiting.push_back(sender);
        if self.waiting.len().is_multiple_of(CLEARED_EACH) {
            self.waiting.retain(|sender| !sender.is_closed());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(shares) = self.shares.take() else { return };
        let mut ended = vec![self.begun];
        while let Some(begun) = ended.pop() {
            for (sender, turn) in shares.end(self.caller, begun) {
                // Whoever waited may have gone; then the turn is for the next.
                if let Err(mut turn) = sender.send(turn) {
                    turn.shares = None;
                    ended.push(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const ALICE: Caller = Caller::Key(1);
    const BOB: Caller = Caller::Key(2);

    fn now(shares: &Arc<Shares>, caller: Caller) -> Option<Turn> {
        shares.take(caller).now_or_never()
    }

    #[test]
    fn who_is_alone_has_all_there_is() {
        let shares = Shares::new(1);
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 100);
    }

    #[test]
    fn among_several_nobody_has_more_than_its_part() {
        let shares = Shares::new(2);
        let bobs = now(&shares, BOB);
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 4);
        // The other finds room, whatever waits.
        let mut waiting = Box::pin(shares.take(ALICE));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(now(&shares, BOB).is_some());
        // That it has none under way now does not make it one caller less.
        drop(bobs);
        assert!((&mut waiting).now_or_never().is_none());
        // Later it does.
        shares.lock().each.remove(&BOB);
        drop(turns);
        assert!(waiting.now_or_never().is_some());
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 100);
    }

    #[test]
    fn what_waits_goes_on_in_order_and_what_has_gone_is_passed_over() {
        let shares = Shares::new(1);
        let _bobs = now(&shares, BOB);
        let first = now(&shares, ALICE);
        let second = now(&shares, ALICE);
        let mut gone = Box::pin(shares.take(ALICE));
        assert!((&mut gone).now_or_never().is_none());
        let mut third = Box::pin(shares.take(ALICE));
        assert!((&mut third).now_or_never().is_none());
        drop(gone);
        drop(first);
        let third = third.now_or_never();
        assert!(third.is_some());
        assert!(now(&shares, ALICE).is_none());
        drop((second, third));
        let callers = shares.lock();
        assert!(callers.each[&ALICE].waiting.is_empty());
        assert_eq!(callers.each[&ALICE].under_way, 0);
    }

    #[test]
    fn whose_requests_take_long_has_fewer_under_way() {
        let shares = Shares::new(4);
        let begun = |ms| Instant::now().checked_sub(Duration::from_millis(ms));
        for (caller, ms) in [(ALICE, 30), (BOB, 10)] {
            let mut turn = now(&shares, caller).unwrap();
            turn.begun = begun(ms);
        }
        let count = |caller| {
            let turns: Vec<_> = (0..100).map_while(|_| now(&shares, caller)).collect();
            turns.len()
        };
        assert_eq!(count(ALICE), 3);
        assert_eq!(count(BOB), 8);
    }

    #[test]
    fn who_has_not_called_for_long_is_forgotten() {
        let shares = Shares::new(4);
        drop(now(&shares, ALICE));
        let mut callers = shares.lock();
        callers.forget(Instant::now() + Duration::from_millis(900));
        assert_eq!(callers.each.len(), 1);
        callers.forget(Instant::now() + Duration::from_millis(1100));
        assert_eq!(callers.each.len(), 0);
    }
}
