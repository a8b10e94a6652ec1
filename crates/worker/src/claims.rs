//! The claims that this worker holds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reef_api::heartbeat::HeldClaim;
use reef_api::{TaskId, Token};

use crate::command::GRACE;
use crate::lease::Lease;
use crate::moment::Moment;
use crate::outcome::{Reason, Stopper};

/// All of them, by their tokens: a task that was lost may come back under another token before
/// the last traces of the first are gone.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashMap<Token, Held>>);

/// One claim.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) task_id: TaskId,
    pub(crate) lease: Lease,
    pub(crate) stopper: Stopper,
    /// Nothing runs for it any more; the hub only has to be told.
    pub(crate) is_over: bool,
}

impl Claims {
    fn all(&self) -> MutexGuard<'_, HashMap<Token, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, token: &Token, held: Held) {
        self.all().insert(token.clone(), held);
    }

    pub(crate) fn remove(&self, token: &Token) {
        self.all().remove(token);
    }

    /// Notes that nothing runs for the claim any more.
    pub(crate) fn end(&self, token: &Token) {
        if let Some(held) = self.all().get_mut(token) {
            held.is_over = true;
        }
    }

    /// What a heartbeat lists, and how many tasks run.
    pub(crate) fn list(&self) -> (Vec<HeldClaim>, usize) {
        let all = self.all();
        let live = all.iter().filter(|(_, held)| !held.stopper.has_stopped());
        let listed = live
            .map(|(token, held)| HeldClaim { task_id: held.task_id.clone(), token: token.clone() });
        (listed.collect(), all.values().filter(|held| !held.is_over).count())
    }

    /// Takes what a heartbeat that was sent at `asked` has brought for what it listed.
    pub(crate) fn renew(&self, listed: &[HeldClaim], renewed: &[Cow<'_, TaskId>], asked: Moment) {
        let all = self.all();
        for claim in listed.iter().filter(|claim| is_among(claim, renewed)) {
            if let Some(held) = all.get(&claim.token) {
                held.lease.renew(asked);
            }
        }
    }

    /// Stops what a heartbeat says is cancelled, or no longer ours.
    pub(crate) fn stop(&self, listed: &[HeldClaim], ids: &[Cow<'_, TaskId>], reason: Reason) {
        let grace = if reason == Reason::Lost { Duration::ZERO } else { GRACE };
        let all = self.all();
        for claim in listed.iter().filter(|claim| is_among(claim, ids)) {
            if let Some(held) = all.get(&claim.token) {
                held.stopper.stop(reason, grace);
            }
        }
    }

    /// Stops everything.
    pub(crate) fn stop_all(&self, reason: Reason, grace: Duration) {
        for held in self.all().values() {
            held.stopper.stop(reason, grace);
        }
    }
}

fn is_among(claim: &HeldClaim, ids: &[Cow<'_, TaskId>]) -> bool {
    ids.iter().any(|id| **id == claim.task_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::stopper;

    #[test]
    fn a_task_that_comes_back_is_not_mistaken_for_what_was_lost() {
        let id = |text: &str| Cow::Owned(TaskId::from(text));
        let claims = Claims::default();
        let now = Moment::now();
        let length = Duration::from_secs(30);
        let mut leases = Vec::new();
        let mut add = |token: &str, task_id: &str| {
            let lease = Lease::new(length, now);
            leases.push(lease.clone());
            let (stopper, orders) = stopper();
            let task_id = task_id.into();
            claims.add(&token.into(), Held { task_id, lease, stopper, is_over: false });
            orders
        };
        let first = add("1-a", "t");
        claims.stop(&claims.list().0, &[id("t")], Reason::Lost);
        assert!(first.current().is_some());
        let second = add("2-b", "t");
        let (listed, running) = claims.list();
        assert_eq!(listed, [HeldClaim { task_id: "t".into(), token: "2-b".into() }]);
        assert_eq!(running, 2);
        claims.renew(&listed, &[id("t"), id("other")], now + length);
        assert_eq!(leases[0].renew_at(), now + length / 2);
        assert_eq!(leases[1].renew_at(), now + length + length / 2);
        claims.end(&"1-a".into());
        assert_eq!(claims.list().1, 1);
        assert!(second.current().is_none());
    }
}
