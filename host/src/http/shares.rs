//! A fair share of the requests under way. A caller that is alone has all there is. Where several
//! call often, none has more under way than its part, so that whoever sends a hundred at once waits for
//! itself and not others for it; and the longer a caller's requests take beside those of the others,
//! the smaller its part. Where nothing of a caller's ends, as with a Redis that hangs, it waits no
//! longer: whoever waits is owed an answer within two seconds, too.
//!
//! Callers are told apart by their keys where those were good before, else by their addresses. What
//! waits is bounded by the connections that it waits on, who is remembered by the requests of a
//! few seconds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::peers::{Peer, Standing};

/// Requests under way that are shared, for each core: about as many as keep it busy while some of
/// them wait for Redis.
const EACH_CORE: usize = 4;

/// A caller whose requests take no longer than those of others may have so many, however many
/// callers there are. One is everybody's.
const LEAST: usize = 2;

/// Calls are counted over about so long: most callers send one after the other, and would find the
/// others' parts grown each time if only what is under way counted.
const COUNTED_OVER: Duration = Duration::from_secs(1);

/// Whoever calls less than this in that time takes nothing from the parts of others.
const FEW: f64 = 4.0;

/// How often the counts are brought up to date, and those that have gone forgotten.
const COUNTS_EACH: Duration = Duration::from_millis(100);

/// After so many more that wait, those that have gone are cleared away.
const CLEARED_EACH: usize = 64;

/// A caller of whom nothing has ended for so long does not wait for that any more. What hangs is
/// answered 1.5 s after it began, and all is to be answered within 2 s.
const STUCK_AFTER: Duration = Duration::from_millis(350);

/// What took so long has not ended: it was given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(1);

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
    /// How many of them call often.
    often: usize,
    /// How long a request of each of these takes, summed over them, in seconds.
    seconds: f64,
    counted: Instant,
}

/// What one caller has. While any of it waits, some of it is under way, whose end lets it go on.
#[derive(Debug, Default)]
struct Share {
    under_way: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
    /// How long a request of it takes, in seconds: a moving average.
    seconds: f64,
    /// Its calls of late: of each, what time has left of it.
    calls: f64,
    /// When a request of it has ended well last, or has begun with none under way.
    moved: Option<Instant>,
    /// Somebody has waited in vain, and nothing has ended well since.
    is_stuck: bool,
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
        let counted = Instant::now();
        let callers = Callers { each: HashMap::new(), often: 0, seconds: 0.0, counted };
        Arc::new(Self { shared: cores * EACH_CORE, callers: Mutex::new(callers) })
    }

    /// Waits until a request of the caller may go on.
    pub(crate) async fn take(self: &Arc<Self>, caller: Caller) -> Turn {
        let mut turn = {
            let now = Instant::now();
            let mut callers = self.lock();
            callers.count(now);
            callers.note_call(caller);
            if callers.has_room(caller, self.shared) {
                callers.share(caller).begin(now);
                return self.turn(caller, Some(now));
            }
            let (sender, turn) = oneshot::channel();
            callers.share(caller).wait(sender);
            turn
        };
        let mut patience = STUCK_AFTER;
        loop {
            let given = timeout(patience, &mut turn).await;
            let now = Instant::now();
            if let Ok(Ok(mut turn)) = given {
                turn.begun = Some(now);
                return turn;
            }
            let mut callers = self.lock();
            let share = callers.share(caller);
            patience = share.is_stuck_in(now);
            // It is never let go without a turn; if it were, nobody need wait for that.
            if given.is_ok() || patience.is_zero() {
                share.is_stuck = given.is_err();
                share.begin(now);
                return self.turn(caller, Some(now));
            }
        }
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
        let took = begun.map(|begun| begun.elapsed().as_secs_f64());
        let mut callers = self.lock();
        callers.note_end(caller, took);
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
    fn share(&mut self, caller: Caller) -> &mut Share {
        self.each.entry(caller).or_default()
    }

    fn note_call(&mut self, caller: Caller) {
        let share = self.each.entry(caller).or_default();
        let before = share.calls;
        share.calls += 1.0;
        if before < FEW && share.calls >= FEW {
            self.often += 1;
            self.seconds += share.seconds;
        }
    }

    fn note_end(&mut self, caller: Caller, took: Option<f64>) {
        let Some(share) = self.each.get_mut(&caller) else { return };
        share.under_way = share.under_way.saturating_sub(1);
        let Some(took) = took else { return };
        if took < GIVEN_UP_AFTER.as_secs_f64() {
            share.moved = Some(Instant::now());
            share.is_stuck = false;
        }
        let is_first = share.seconds == 0.0;
        let change = (took - share.seconds) / if is_first { 1.0 } else { SMOOTHED_OVER };
        share.seconds += change;
        if share.calls >= FEW {
            self.seconds += change;
        }
    }

    /// Takes from each count what time takes, and forgets those that have gone.
    fn count(&mut self, now: Instant) {
        let passed = now.duration_since(self.counted);
        if passed < COUNTS_EACH {
            return;
        }
        self.counted = now;
        let left = (-passed.as_secs_f64() / COUNTED_OVER.as_secs_f64()).exp();
        (self.often, self.seconds) = (0, 0.0);
        self.each.retain(|_, share| {
            share.calls *= left;
            if share.calls >= FEW {
                self.often += 1;
                self.seconds += share.seconds;
            }
            share.under_way > 0 || share.calls >= 0.1
        });
    }

    /// How many one caller may have under way.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of callers and requests, and a positive part of them"
    )]
    fn part(&self, caller: Caller, shared: usize) -> usize {
        let own = self.each.get(&caller);
        let counted = own.filter(|share| share.calls >= FEW);
        let others = self.often - usize::from(counted.is_some());
        if others == 0 {
            return usize::MAX;
        }
        let part = (shared / (others + 1)).max(LEAST);
        let of_others = (self.seconds - counted.map_or(0.0, |share| share.seconds)) / others as f64;
        let own = own.map_or(0.0, |share| share.seconds);
        if own <= of_others || of_others <= 0.0 {
            return part;
        }
        ((part as f64 * of_others / own).round() as usize).max(1)
    }

    fn has_room(&self, caller: Caller, shared: usize) -> bool {
        self.each.get(&caller).is_none_or(|share| {
            let is_next = share.waiting.is_empty() && share.under_way < self.part(caller, shared);
            is_next || share.is_stuck
        })
    }
}

impl Share {
    /// After how long it is stuck, if nothing of it ends well until then.
    fn is_stuck_in(&self, now: Instant) -> Duration {
        let moved = self.moved.unwrap_or(now);
        STUCK_AFTER.saturating_sub(now.saturating_duration_since(moved))
    }

    fn begin(&mut self, now: Instant) {
        if self.under_way == 0 {
            self.moved = Some(now);
            self.is_stuck = false;
        }
        self.under_way += 1;
    }

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

    /// Requests that are over at once, as many as make a caller one that calls often.
    fn calls_often(shares: &Arc<Shares>, caller: Caller) {
        for _ in 0..4 {
            drop(now(shares, caller));
        }
    }

    #[tokio::test]
    async fn who_is_alone_has_all_there_is() {
        let shares = Shares::new(1);
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 100);
    }

    #[tokio::test]
    async fn among_several_nobody_has_more_than_its_part() {
        let shares = Shares::new(2);
        calls_often(&shares, BOB);
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
        shares.lock().count(Instant::now() + Duration::from_secs(2));
        drop(turns);
        assert!(waiting.now_or_never().is_some());
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 100);
    }

    #[tokio::test]
    async fn who_waits_for_what_hangs_goes_on() {
        let shares = Shares::new(1);
        calls_often(&shares, BOB);
        let hang: Vec<_> = (0..2).map_while(|_| now(&shares, ALICE)).collect();
        let waited = Instant::now();
        let turns = tokio::join!(shares.take(ALICE), shares.take(ALICE));
        assert!(waited.elapsed() >= STUCK_AFTER);
        assert_eq!(shares.lock().each[&ALICE].under_way, 4);
        // That they are given up at last lets nobody wait for longer.
        for mut turn in hang {
            turn.begun = Instant::now().checked_sub(Duration::from_millis(1500));
            drop(turn);
            let mut next = now(&shares, ALICE).unwrap();
            next.begun = Instant::now().checked_sub(Duration::from_millis(1500));
        }
        drop(turns);
        assert_eq!(shares.lock().each[&ALICE].under_way, 0);
    }

    #[tokio::test]
    async fn that_one_takes_long_lets_nobody_pass() {
        let shares = Shares::new(1);
        let _long = now(&shares, ALICE);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1));
        shares.lock().share(ALICE).moved = long_ago;
        calls_often(&shares, BOB);
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 1);
    }

    #[tokio::test]
    async fn what_waits_goes_on_in_order_and_what_has_gone_is_passed_over() {
        let shares = Shares::new(1);
        calls_often(&shares, BOB);
        let first = now(&shares, ALICE);
        let second = now(&shares, ALICE);
        let mut gone = Box::pin(shares.take(ALICE));
        assert!((&mut gone).now_or_never().is_none());
        let mut third = Box::pin(shares.take(ALICE));
        assert!((&mut third).now_or_never().is_none());
        drop(gone);
        // How long it took is not what this is about.
        let mut first = first.unwrap();
        first.begun = None;
        drop(first);
        let third = third.now_or_never();
        assert!(third.is_some());
        assert!(now(&shares, ALICE).is_none());
        drop((second, third));
        let callers = shares.lock();
        assert!(callers.each[&ALICE].waiting.is_empty());
        assert_eq!(callers.each[&ALICE].under_way, 0);
    }

    #[tokio::test]
    async fn whose_requests_take_long_has_fewer_under_way() {
        let shares = Shares::new(4);
        let begun = |ms| Instant::now().checked_sub(Duration::from_millis(ms));
        for (caller, ms) in [(ALICE, 30), (BOB, 10)] {
            for _ in 0..50 {
                let mut turn = now(&shares, caller).unwrap();
                turn.begun = begun(ms);
            }
        }
        let count = |caller| {
            let turns: Vec<_> = (0..100).map_while(|_| now(&shares, caller)).collect();
            turns.len()
        };
        assert_eq!(count(ALICE), 3);
        assert_eq!(count(BOB), 8);
    }

    #[tokio::test]
    async fn who_calls_now_and_then_takes_nothing_from_the_parts_of_others() {
        let shares = Shares::new(1);
        drop(now(&shares, BOB));
        let turns: Vec<_> = (0..100).map_while(|_| now(&shares, ALICE)).collect();
        assert_eq!(turns.len(), 100);
        drop(turns);
        shares.lock().count(Instant::now() + Duration::from_secs(10));
        assert!(shares.lock().each.is_empty());
    }
}
