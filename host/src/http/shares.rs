//! A fair share of the requests under way. A caller that is alone has all there is. Where there are
//! several, none has more under way than its part, so that whoever sends a hundred at once waits for
//! itself and not others for it.
//!
//! Callers are told apart by their keys where those were good before, else by their addresses. What
//! waits is bounded by the connections that it waits on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::peers::{Peer, Standing};

/// Requests under way that are shared, for each core: about as many as keep it busy while some of
/// them wait for Redis.
const EACH_CORE: usize = 4;

/// Every caller may have so many, however many callers there are.
const LEAST: usize = 2;

/// After so many more that wait, those that have gone are cleared away.
const CLEARED_EACH: usize = 64;

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

#[derive(Debug, Default)]
struct Callers {
    each: HashMap<Caller, Share>,
    waiting: usize,
}

/// What one caller has; there is none for a caller that has nothing.
#[derive(Debug, Default)]
struct Share {
    under_way: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A request is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// `None` once it has ended.
    shares: Option<Arc<Shares>>,
    caller: Caller,
}

impl Shares {
    /// For a machine with so many cores.
    pub(crate) fn new(cores: usize) -> Arc<Self> {
        Arc::new(Self { shared: cores * EACH_CORE, callers: Mutex::default() })
    }

    /// Waits until a request of the caller may go on.
    pub(crate) async fn take(self: &Arc<Self>, caller: Caller) -> Turn {
        let turn = {
            let mut callers = self.lock();
            if callers.has_room(caller, self.shared) {
                callers.each.entry(caller).or_default().under_way += 1;
                return self.turn(caller);
            }
            let (sender, turn) = oneshot::channel();
            callers.wait(caller, sender);
            turn
        };
        match turn.await {
            Ok(turn) => turn,
            // It is never let go without a turn; if it were, nobody need wait for that.
            Err(_) => {
                self.lock().each.entry(caller).or_default().under_way += 1;
                self.turn(caller)
            }
        }
    }

    fn turn(self: &Arc<Self>, caller: Caller) -> Turn {
        Turn { shares: Some(Arc::clone(self)), caller }
    }

    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a request, and finds those that may go on now.
    fn end(self: &Arc<Self>, caller: Caller) -> Vec<(oneshot::Sender<Turn>, Turn)> {
        let mut callers = self.lock();
        let Some(share) = callers.each.get_mut(&caller) else { return Vec::new() };
        share.under_way = share.under_way.saturating_sub(1);
        let mut next = Vec::new();
        let has_left = share.under_way == 0 && share.waiting.is_empty();
        if has_left {
            callers.each.remove(&caller);
        }
        if callers.waiting == 0 {
            return next;
        }
        let part = callers.part(self.shared);
        let Callers { each, waiting } = &mut *callers;
        // With one caller less, the parts of all others have grown.
        let may_go_on: Vec<_> = if has_left {
            each.iter_mut().collect()
        } else {
            each.get_mut(&caller).map(|share| (&caller, share)).into_iter().collect()
        };
        for (caller, share) in may_go_on {
            while share.under_way < part {
                let Some(sender) = share.waiting.pop_front() else { break };
                *waiting -= 1;
                share.under_way += 1;
                next.push((sender, self.turn(*caller)));
            }
        }
        next
    }
}

impl Callers {
    /// Lets a request wait. Those that have gone are cleared away before they become many.
    fn wait(&mut self, caller: Caller, sender: oneshot::Sender<Turn>) {
        let queue = &mut self.each.entry(caller).or_default().waiting;
        queue.push_back(sender);
        self.waiting += 1;
        if queue.len().is_multiple_of(CLEARED_EACH) {
            let before = queue.len();
            queue.retain(|sender| !sender.is_closed());
            self.waiting -= before - queue.len();
        }
    }

    /// How many one caller may have under way.
    fn part(&self, shared: usize) -> usize {
        match self.each.len() {
            0 | 1 => usize::MAX,
            callers => (shared / callers).max(LEAST),
        }
    }

    fn has_room(&self, caller: Caller, shared: usize) -> bool {
        match self.each.get(&caller) {
            None => true,
            Some(share) => share.waiting.is_empty() && share.under_way < self.part(shared),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(shares) = self.shares.take() else { return };
        let mut ended = vec![self.caller];
        while let Some(caller) = ended.pop() {
            for (sender, turn) in shares.end(caller) {
                // Whoever waited may have gone; then the turn is for the next.
                if let Err(mut turn) = sender.send(turn) {
                    turn.shares = None;
                    ended.push(turn.caller);
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
        // It is alone again, and has all there is.
        drop(bobs);
        assert!(waiting.now_or_never().is_some());
        assert!(now(&shares, ALICE).is_some());
        drop(turns);
        assert!(shares.lock().each.is_empty());
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
        assert_eq!(shares.lock().waiting, 0);
    }
}
