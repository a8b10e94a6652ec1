//! The claims that this worker holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::Listed;
use crate::command::GRACE;
use crate::lease::Lease;
use crate::moment::Moment;
use crate::outcome::{Reason, Stopper};

/// All of them, by their tokens: a task that was lost may come back under another token before
/// the last traces of the first are gone.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashMap<String, Held>>);

/// One claim.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) task_id: String,
    pub(crate) lease: Lease,
    pub(crate) stopper: Stopper,
    /// Nothing runs for it any more; the hub only has to be told.
    pub(crate) is_over: bool,
}

impl Claims {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, token: &str, held: Held) {
        self.all().insert(token.to_owned(), held);
    }

    pub(crate) fn remove(&self, token: &str) {
        self.all().remove(token);
    }

    /// Notes that nothing runs for the claim any more.
    pub(crate) fn end(&self, token: &str) {
        if let Some(held) = self.all().get_mut(token) {
            held.is_over = true;
        }
    }

    /// What a heartbeat lists, and how many tasks run.
    pub(crate) fn list(&self) -> (Vec<Listed>, usize) {
        let all = self.all();
        let live = all.iter().filter(|(_, held)| !held.stopper.has_stopped());
        let listed = live
            .map(|(token, held)| Listed { task_id: held.task_id.clone(), token: token.clone() });
        (listed.collect(), all.values().filter(|held| !held.is_over).count())
    }

    /// Takes what a heartbeat that was sent at `asked` has brought for what it listed.
    pub(crate) fn renew(&self, listed: &[Listed], renewed: &[String], asked: Moment) {
        let all = self.all();
        for claim in listed.iter().filter(|claim| renewed.contains(&claim.task_id)) {
            if let Some(held) = all.get(&claim.token) {
                held.lease.renew(asked);
            }
        }
    }

    /// Stops what a heartbeat says is cancelled, or no longer ours.
    pub(crate) fn stop(&self, listed: &[Listed], ids: &[String], reason: Reason) {
        let grace = if reason == Reason::Lost { Duration::ZERO } else { GRACE };
        let all = self.all();
        for claim in listed.iter().filter(|claim| ids.contains(&claim.task_id)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::stopper;

    #[test]
    fn a_task_that_comes_back_is_not_mistaken_for_what_was_lost() {
        let claims = Claims::default();
        let now = Moment::now();
        let length = Duration::from_secs(30);
        let mut leases = Vec::new();
        let mut add = |token: &str, task_id: &str| {
            let lease = Lease::new(length, now);
            leases.push(lease.clone());
            let (stopper, orders) = stopper();
            let task_id = task_id.to_owned();
            claims.add(token, Held { task_id, lease, stopper, is_over: false });
            orders
        };
        let first = add("1-a", "t");
        claims.stop(&claims.list().0, &["t".to_owned()], Reason::Lost);
        assert!(first.current().is_some());
        let second = add("2-b", "t");
        let (listed, running) = claims.list();
        assert_eq!(listed, [Listed { task_id: "t".to_owned(), token: "2-b".to_owned() }]);
        assert_eq!(running, 2);
        claims.renew(&listed, &["t".to_owned(), "other".to_owned()], now + length);
        assert_eq!(leases[0].renew_at(), now + length / 2);
        assert_eq!(leases[1].renew_at(), now + length + length / 2);
        claims.end("1-a");
        assert_eq!(claims.list().1, 1);
        assert!(second.current().is_none());
    }
}
